package cleanup

import (
	"errors"
	"io/fs"
	"slices"
	"testing"
)

func TestCloseRunsInReverse(t *testing.T) {
	var s Stack
	var ran []int
	for i := range 3 {
		s.Add(func() error { ran = append(ran, i); return nil })
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if want := []int{2, 1, 0}; !slices.Equal(ran, want) {
		t.Errorf("ran %v, want %v", ran, want)
	}
	if err := s.Close(); err != nil || len(ran) != 3 {
		t.Errorf("second Close ran something: %v, %v", ran, err)
	}
}

func TestCloseJoinsErrors(t *testing.T) {
	var s Stack
	ran := 0
	s.Add(func() error { ran++; return fs.ErrExist })
	s.Add(func() error { ran++; return nil })
	s.Add(func() error { ran++; return fs.ErrInvalid })
	err := s.Close()
	if !errors.Is(err, fs.ErrExist) || !errors.Is(err, fs.ErrInvalid) || ran != 3 {
		t.Errorf("Close() = %v after %d functions", err, ran)
	}
}

func TestCloseRunsAllAfterPanic(t *testing.T) {
	var s Stack
	ran := false
	s.Add(func() error { ran = true; return nil })
	s.Add(func() error { panic("on purpose") })
	defer func() {
		if recover() == nil {
			t.Error("the panic was swallowed")
		}
		if !ran {
			t.Error("the function below the panicking one did not run")
		}
	}()
	s.Close()
}

func TestAddDuringClose(t *testing.T) {
	var s Stack
	ran := false
	s.Add(func() error {
		s.Add(func() error { ran = true; return nil })
		return nil
	})
	if err := s.Close(); err != nil || !ran {
		t.Errorf("Close() = %v, late function ran: %v", err, ran)
	}
}

func TestMove(t *testing.T) {
	var s Stack
	ran := 0
	s.Add(func() error { ran++; return nil })
	moved := s.Move()
	if err := s.Close(); err != nil || ran != 0 {
		t.Fatalf("the emptied stack ran %d functions: %v", ran, err)
	}
	if err := moved.Close(); err != nil || ran != 1 {
		t.Errorf("the moved stack ran %d functions: %v", ran, err)
	}
}
