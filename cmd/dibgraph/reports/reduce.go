package reports

// reduce returns the dependencies that no other one implies: what has to be
// drawn so that every dependency can be followed. Both sides are positions in
// an order in which each node comes after what it depends on.
func reduce(dependencies [][]int) [][]int {
	before := make([][]bool, len(dependencies)) // what each has to wait for
	reduced := make([][]int, len(dependencies))
	for i, direct := range dependencies {
		before[i] = make([]bool, i)
		for _, d := range direct {
			for e, needed := range before[d] {
				before[i][e] = before[i][e] || needed
			}
		}
		for _, d := range direct {
			if !before[i][d] {
				reduced[i] = append(reduced[i], d)
			}
		}
		for _, d := range direct {
			before[i][d] = true
		}
	}
	return reduced
}

// positions turns the names of dependencies into positions. Names that are not
// there, and those that come later, are left out.
func positions(nodes []Node) [][]int {
	index := make(map[string]int, len(nodes))
	all := make([][]int, len(nodes))
	for i, n := range nodes {
		for _, name := range n.Dependencies {
			if d, ok := index[name]; ok {
				all[i] = append(all[i], d)
			}
		}
		index[n.Name] = i
	}
	return all
}
