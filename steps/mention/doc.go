// Package mention finds the variables that a text may depend on, whatever its
// language. Hooks are not watched while they read their environment; what they
// could read is what they, and the files they read, mention.
package mention
