// Package network is what backends that ask servers have in common: a transport
// that hands on bytes as they are, and words for what goes wrong on the way.
package network
