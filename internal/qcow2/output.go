package qcow2

import "os"

// outputSize is how much is written at a time.
const outputSize = 1 << 20

// output writes a file mostly from its beginning to its end, in large parts.
type output struct {
	w *os.File
	// start is the offset of buffer, all before it is written.
	start  int64
	buffer []byte
}

func newOutput(w *os.File) *output {
	return &output{w: w, buffer: make([]byte, 0, 2*outputSize+maxClusterSize)}
}

// put writes data at an offset. What was never put before the end of the
// file is zero.
func (o *output) put(at int64, data []byte) error {
	if at < o.start {
		_, err := o.w.WriteAt(data, at)
		return err
	}
	if at-o.start > outputSize {
		if err := o.flush(); err != nil {
			return err
		}
		o.start = at
	}
	end := int(at-o.start) + len(data)
	if have := len(o.buffer); end > have {
		o.buffer = append(o.buffer, make([]byte, end-have)...)
	}
	copy(o.buffer[at-o.start:], data)
	if len(o.buffer) < outputSize {
		return nil
	}
	return o.flush()
}

func (o *output) flush() error {
	_, err := o.w.WriteAt(o.buffer, o.start)
	o.start += int64(len(o.buffer))
	o.buffer = o.buffer[:0]
	return err
}

// end writes what is left and makes the file size bytes long. What is put
// after that has to be before.
func (o *output) end(size int64) error {
	if err := o.flush(); err != nil {
		return err
	}
	o.start = size
	return o.w.Truncate(size)
}
