// Package getopt reads command lines by the rules of getopt(1), which shell
// scripts use:
//
//	rules := getopt.Rules{Short: "ab:", Long: []string{"all", "base:"}}
//	options, operands, errs := rules.Parse(args)
//
// Short options can be bundled, and have their argument behind them or in the
// next word; long ones have it behind a "=" or in the next word, and can be
// abbreviated. Options and operands come in any order; "--" ends the options.
package getopt
