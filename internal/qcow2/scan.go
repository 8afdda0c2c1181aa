package qcow2

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// A scanner finds the guest clusters that may hold data, in order, each once.
type scanner struct {
	raw         *os.File
	size        int64
	clusterSize int64
	// at is where the search goes on: the start of a cluster, as is end, up to
	// which there is data.
	at, end int64
}

// next returns where up to most clusters of data begin and how many bytes
// they have, the last one perhaps beyond the end of the file. No bytes are the end.
func (s *scanner) next(most int) (start, length int64, err error) {
	if s.at >= s.end {
		if err := s.seek(); err != nil {
			return 0, 0, err
		}
	}
	start = s.at
	length = min(s.end-start, int64(most)*s.clusterSize)
	s.at += length
	return start, length, nil
}

// seek finds the next data. Ends of data inside a cluster are moved to its
// ends: the rest of it is read as zeros.
func (s *scanner) seek() error {
	if s.at >= s.size {
		return nil
	}
	start, err := s.raw.Seek(s.at, unix.SEEK_DATA)
	switch {
	case errors.Is(err, unix.ENXIO):
		s.at, s.end = s.size, s.size
		return nil
	case errors.Is(err, unix.EINVAL):
		// A filesystem that knows of no holes.
		s.end = s.up(s.size)
		return nil
	case err != nil:
		return fmt.Errorf("find data: %w", err)
	}
	end, err := s.raw.Seek(start, unix.SEEK_HOLE)
	if err != nil {
		return fmt.Errorf("find hole: %w", err)
	}
	s.at, s.end = start&^(s.clusterSize-1), s.up(min(end, s.size))
	return nil
}

func (s *scanner) up(n int64) int64 { return roundUp(n, s.clusterSize) }

func roundUp(n, to int64) int64 { return (n + to - 1) / to * to }
