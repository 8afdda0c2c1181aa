package elements

import "github.com/dibgraph/dibgraph/internal/problem"

// A Problem is one thing that is wrong with a definition or an element.
type Problem = problem.Problem

// Problems returns the problems that err is made of, in the order in which
// they were found. It is empty when err holds none.
func Problems(err error) []*Problem { return problem.All(err) }

// join returns all problems as one error, nil when there are none.
func join(problems []*Problem) error { return problem.Join(problems) }
