package qcow2

import "encoding/binary"

const (
	magic         = "QFI\xfb"
	formatVersion = 3
	// headerLength is that of version 3 as first defined; zstd's has the
	// compression type and padding in addition. Readers go by the length.
	headerLength     = 104
	headerLengthType = 112
	// refcountOrder is the binary logarithm of the bits of a reference count.
	refcountOrder = 4

	// compressionTypeBit of the incompatible features keeps readers away that
	// would take everything for zlib.
	compressionTypeBit = 3
	typeZstd           = 1

	featureNames = 0x6803f857
	// featureLength is a type, a bit and 46 bytes of name.
	featureLength = 48
)

// header returns the first bytes of the file, up to the end of the extensions.
func (im *image) header(refcountTable, refcountClusters int64) []byte {
	var incompatible uint64
	length := uint32(headerLength)
	if im.compression == Zstd {
		incompatible, length = 1<<compressionTypeBit, headerLengthType
	}
	be := binary.BigEndian
	h := []byte(magic)
	h = be.AppendUint32(h, formatVersion)
	h = be.AppendUint64(h, 0) // backing file
	h = be.AppendUint32(h, 0) // length of its name
	h = be.AppendUint32(h, uint32(im.clusterBits))
	h = be.AppendUint64(h, uint64(im.size))
	h = be.AppendUint32(h, 0) // encryption
	h = be.AppendUint32(h, uint32(len(im.l1)/entrySize))
	h = be.AppendUint64(h, uint64(im.clusterSize)) // L1 table: the second cluster
	h = be.AppendUint64(h, uint64(refcountTable))
	h = be.AppendUint32(h, uint32(refcountClusters))
	h = be.AppendUint32(h, 0) // snapshots
	h = be.AppendUint64(h, 0) // their table
	h = be.AppendUint64(h, incompatible)
	h = be.AppendUint64(h, 0) // compatible features
	h = be.AppendUint64(h, 0) // features cleared by writers that do not know them
	h = be.AppendUint32(h, refcountOrder)
	h = be.AppendUint32(h, length)
	if im.compression == Zstd {
		h = append(h, typeZstd, 0, 0, 0, 0, 0, 0, 0)
		// A reader that does not know the feature can name it.
		h = be.AppendUint32(h, featureNames)
		h = be.AppendUint32(h, featureLength)
		name := make([]byte, featureLength)
		name[1] = compressionTypeBit
		copy(name[2:], "compression type")
		h = append(h, name...)
	}
	return be.AppendUint64(h, 0) // the end of the extensions
}
