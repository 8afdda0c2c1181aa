package partition

import (
	"errors"
	"fmt"
	"math"
)

// span is a part of the disk that belongs to one partition, for checks.
type span struct {
	number        int
	start, length int64
}

// checkSpans reports all spans that are not whole sectors, empty, outside
// from…to, or that begin before the one before them ends.
func checkSpans(spans []span, sectorSize int, from, to int64) error {
	var errs []error
	seen := map[int]bool{}
	at := from
	for _, s := range spans {
		end := s.start + s.length
		switch {
		case seen[s.number]:
			errs = append(errs, fmt.Errorf("partition number %d is used twice", s.number))
		case s.start%int64(sectorSize) != 0 || s.length%int64(sectorSize) != 0:
			errs = append(errs, fmt.Errorf("partition %d: start %d, length %d: not whole sectors of %d bytes", s.number, s.start, s.length, sectorSize))
		case s.length <= 0:
			errs = append(errs, fmt.Errorf("partition %d: length %d: a partition has at least one sector", s.number, s.length))
		case s.start < at:
			errs = append(errs, fmt.Errorf("partition %d: starts at byte %d, before byte %d, the first that is free", s.number, s.start, at))
		case end > to:
			errs = append(errs, fmt.Errorf("partition %d: ends at byte %d, beyond byte %d, the last that can be used", s.number, end, to))
		}
		seen[s.number] = true
		at = max(at, end)
	}
	return errors.Join(errs...)
}

func checkSectorSize(size int, diskSize int64) error {
	if size != 512 && size != 4096 {
		return fmt.Errorf("sector size %d: neither 512 nor 4096", size)
	}
	if diskSize%int64(size) != 0 {
		return fmt.Errorf("disk size %d: not a whole number of sectors of %d bytes", diskSize, size)
	}
	return nil
}

func (t MBR) check() error {
	if err := checkSectorSize(t.SectorSize, t.DiskSize); err != nil {
		return err
	}
	// 32 bits of sectors; on a bigger disk the rest could not be named.
	if sectors := t.DiskSize / int64(t.SectorSize); sectors > math.MaxUint32 {
		return fmt.Errorf("disk size %d: more than 2^32 sectors; use gpt", t.DiskSize)
	}
	var spans []span
	logical := false
	for i, p := range t.Partitions {
		switch {
		case p.Number < 1:
			return fmt.Errorf("partition %d: numbers start at 1", p.Number)
		case p.Number < firstLogical && logical:
			return fmt.Errorf("partition %d: a primary partition after a logical one", p.Number)
		case p.Number < firstLogical:
			spans = append(spans, span{p.Number, p.Start, p.Length})
			continue
		}
		if want := firstLogical + i - len(t.Partitions) + len(t.logicals()); p.Number != want {
			return fmt.Errorf("logical partition %d: the next number is %d", p.Number, want)
		}
		if p.Record%int64(t.SectorSize) != 0 || p.Record >= p.Start {
			return fmt.Errorf("partition %d: its record at byte %d is not a sector before its start at %d", p.Number, p.Record, p.Start)
		}
		logical = true
		spans = append(spans, span{p.Number, p.Record, p.Start + p.Length - p.Record})
	}
	if primaries := t.primaries(); len(primaries) > 0 && primaries[len(primaries)-1].Number >= firstLogical {
		return errors.New("logical partitions need one of the four primary entries, and none is left")
	}
	return checkSpans(spans, t.SectorSize, int64(t.SectorSize), t.DiskSize)
}
