// Package settings says which shared caches are used, and how.
//
// A setting can be given in four places: by a flag, by a variable of the
// environment, in the user's file, and in that of the machine. Each place is a
// [Layer]; [Merge] takes each setting whole from the first layer that has it. Only
// revoked keys add up: what one place revokes no other can trust again.
//
// The package reads no environment and opens no files but those it is told to.
package settings
