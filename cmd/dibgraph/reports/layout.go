package reports

import "fmt"

// Sizes of the drawing of the graph, in pixels.
const (
	columns   = 4
	boxWidth  = 178 // as in page.css
	boxHeight = 40
	gapX      = 26
	gapY      = 22
	titleRoom = 106 // left of a band, for its title
	margin    = 6
)

// A drawing is a graph laid out: a band for each phase from top to bottom, and
// in it the nodes from left to right in the order of the build, line by line.
type drawing struct {
	Width, Height int
	Bands         []band
	Boxes         []box // in the order of the nodes
	Edges         []edge
}

type band struct {
	Title string
	Y     int
	nodes []int
}

type box struct {
	X, Y   int
	Label  string
	line   int // counted through all bands
	column int
}

// An edge leads from a node to one that depends on it, both as positions.
type edge struct {
	From, To int
	Path     string // of SVG
}

// layOut draws the nodes of a report.
func layOut(nodes []Node) drawing {
	names := make([]string, len(nodes))
	for i, n := range nodes {
		names[i] = n.Name
	}
	d := drawing{Width: 2*margin + titleRoom + columns*boxWidth + (columns-1)*gapX, Height: gapY, Boxes: make([]box, len(nodes))}
	bands, labels := bandsOf(names)
	index := make(map[string]int)
	for i, title := range bands {
		at, ok := index[title]
		if !ok {
			at = len(d.Bands)
			index[title] = at
			d.Bands = append(d.Bands, band{Title: title})
		}
		d.Bands[at].nodes = append(d.Bands[at].nodes, i)
		d.Boxes[i].Label = labels[i]
	}
	d.place()
	for to, direct := range reduce(positions(nodes)) {
		for _, from := range direct {
			d.Edges = append(d.Edges, edge{from, to, d.route(d.Boxes[from], d.Boxes[to])})
		}
	}
	return d
}

// place gives every band and box its position.
func (d *drawing) place() {
	line := 0
	for i := range d.Bands {
		b := &d.Bands[i]
		b.Y = d.Height
		for j, node := range b.nodes {
			if j > 0 && j%columns == 0 {
				line++
				d.Height += boxHeight + gapY
			}
			at := &d.Boxes[node]
			at.line, at.column = line, j%columns
			at.X, at.Y = margin+titleRoom+at.column*(boxWidth+gapX), d.Height
		}
		line++
		d.Height += boxHeight + gapY
	}
}

// route returns the way of an edge: straight to the box on the right, else
// through the gaps between lines and columns, so that it crosses no box.
func (d *drawing) route(from, to box) string {
	if from.line == to.line && to.column == from.column+1 {
		return fmt.Sprintf("M%d %dH%d", from.X+boxWidth, from.Y+boxHeight/2, to.X)
	}
	const half = gapY / 2
	if from.line == to.line {
		// Deeper for columns further right, so that two of them do not look like one.
		below := from.Y + boxHeight + gapY/4 + 4*from.column
		return fmt.Sprintf("M%d %dV%dH%dV%d", from.X+boxWidth/2, from.Y+boxHeight, below, to.X+boxWidth/2-boxWidth/8, to.Y+boxHeight)
	}
	beside := to.X - gapX/2 // where it goes up or down past other lines
	start := fmt.Sprintf("M%d %dV%d", from.X+boxWidth/2, from.Y+boxHeight, from.Y+boxHeight+half)
	middle := to.X + boxWidth/2
	if to.line == from.line+1 {
		return fmt.Sprintf("%sH%dV%d", start, middle, to.Y)
	}
	return fmt.Sprintf("%sH%dV%dH%dV%d", start, beside, to.Y-half, middle, to.Y)
}
