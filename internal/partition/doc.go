// Package partition writes and reads partition tables, and tells the kernel of the
// partitions.
//
// A table is a value, [MBR] or [GPT], whose partitions have been placed by the
// caller in bytes; its Write method checks it and writes it to a file or
// device. Identifiers are part of the value, so equal tables are equal bytes.
//
//	sector 0     protective MBR         MBR with boot code area, disk id, 4 entries
//	1            GPT header             (GPT only)
//	2 …          128 entries            EBR of each logical partition at its own
//	…            partitions             place, chained (MBR only)
//	end − 32 …   128 entries, backup
//	end          GPT header, backup
//
// [Read] finds the partitions of such a disk again.
//
// [Add] and [Delete] work on an open block device with the BLKPG ioctls. They
// need no partition parser in the kernel, no device mapper and no udev.
package partition
