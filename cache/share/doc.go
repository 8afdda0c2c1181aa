// Package share gives the results of one store to others and takes theirs,
// through remotes that nobody has to trust.
//
// # Packs
//
// A pack is one named object of a remote: records, and where what they name can
// be had. There is a pack of every image, with the records of its last builds,
// and one of every static key, with the newest few: whoever misses a node asks
// for the second. Packs are sealed (see package trust): a seal covers the
// SHA-256 of everything that a pack leads to.
//
// # Parcels
//
// A parcel is one content of a remote with parts: layers and files in the forms
// of package wire, one after the other. Small ones travel together, large ones
// alone. A spot says where in which parcel a part is, and a part is read without
// the rest of its parcel.
//
// # Coming and going
//
// Records come whole with their pack, what they name when something needs it
// ([Share.SupplyLayer], [Share.SupplyBlob]). Small outputs, which are needed to
// tell what the next nodes' keys are, come in the pack. What goes is encoded and
// sent beside the build ([Share.Send]); packs follow when everything they name
// is there ([Share.Finish]).
//
// A remote that fails is no error: it is left out, and the build goes on alone.
package share
