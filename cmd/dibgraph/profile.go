package main

import (
	"os"
	"runtime/pprof"

	"github.com/spf13/cobra"
)

// addProfileFlag adds --cpu-profile, for those who make the program faster. It is
// hidden: nobody else needs it. The caller calls finish when the command has ended.
func addProfileFlag(root *cobra.Command) (finish func() error) {
	const name = "cpu-profile"
	var (
		path string
		file *os.File
	)
	root.PersistentFlags().StringVar(&path, name, "", "write a CPU profile, for go tool pprof, to `file`")
	if err := root.PersistentFlags().MarkHidden(name); err != nil {
		panic(err) // the flag is right above
	}
	root.PersistentPreRunE = func(*cobra.Command, []string) (err error) {
		if path == "" {
			return nil
		}
		if file, err = os.Create(path); err != nil {
			return err
		}
		return pprof.StartCPUProfile(file)
	}
	return func() error {
		if file == nil {
			return nil
		}
		pprof.StopCPUProfile()
		return file.Close()
	}
}
