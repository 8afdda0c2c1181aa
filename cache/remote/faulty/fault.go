package faulty

import (
	"net/http"
	"time"
)

// A Fault is what is done to a request or its answer.
type Fault struct {
	Name string
	// Says is an expression for what the reason has in it that a user is given
	// if a request fails by the fault; empty if none fails, or a seal is what
	// tells.
	Says string
	// Passing is true if the same request, made again, is enough.
	Passing bool

	do func(x *exchange)
}

// hangup is how a cut connection is reported.
const hangup = `EOF|connection reset|broken pipe|closed|cut off`

// Faults are all that a proxy can do, in a fixed order.
func Faults() []Fault {
	return []Fault{
		{"slow", "", true, (*exchange).slow},
		{"hang", "nothing came", false, (*exchange).hang},
		{"hang in the body", "nothing came", false, (*exchange).hangInBody},
		{"cut before the answer", hangup, true, (*exchange).cut},
		{"cut while sending", hangup, true, (*exchange).cutWhileSending},
		{"cut in the body", hangup, true, (*exchange).cutInBody},
		{"status 500", "500", true, status(http.StatusInternalServerError)},
		{"status 503", "503", true, status(http.StatusServiceUnavailable)},
		{"status 429", "429", true, status(http.StatusTooManyRequests)},
		{"status 403", "403", false, status(http.StatusForbidden)},
		{"status 507", "507", false, status(http.StatusInsufficientStorage)},
		{"wrong bytes", "", false, (*exchange).wrongBytes},
		{"truncated", hangup, true, (*exchange).truncated},
		{"truncated with its length", "", false, (*exchange).shorter},
		{"longer", "", false, (*exchange).longer},
		{"empty", "", false, (*exchange).empty},
		{"gone after it was seen", "", false, (*exchange).gone},
		{"redirect loop", "redirect|one address to the next|30[278]", false, (*exchange).redirect},
		{"page", "", false, (*exchange).page},
	}
}

// exchange is one request that meets a fault.
type exchange struct {
	p *Proxy
	w http.ResponseWriter
	r *http.Request
	// at is where in bytes something happens, as a share of them from 0 to 1.
	at float64
}

// status answers with an error, as servers do that are overloaded or refuse.
func status(code int) func(*exchange) {
	return func(x *exchange) {
		x.drain()
		if code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable {
			x.w.Header().Set("Retry-After", "1")
		}
		http.Error(x.w, "the server is not well", code)
	}
}

// slow answers late, and then dribbles.
func (x *exchange) slow() {
	const pieces = 4
	x.p.wait(x.r, 50*time.Millisecond)
	x.alter(func(body []byte) {
		for i := range pieces {
			_, _ = x.w.Write(body[len(body)*i/pieces : len(body)*(i+1)/pieces])
			x.flush()
			x.p.wait(x.r, 10*time.Millisecond)
		}
	})
}

// hang takes everything and says nothing.
func (x *exchange) hang() {
	x.drain()
	x.p.wait(x.r, forever)
	panic(http.ErrAbortHandler)
}

func (x *exchange) hangInBody() {
	x.begin(func([]byte) { x.p.wait(x.r, forever) })
}

// cut ends the connection in place of an answer.
func (x *exchange) cut() {
	x.drain()
	x.reset()
}

// cutWhileSending ends the connection before the request was read.
func (x *exchange) cutWhileSending() { x.reset() }

func (x *exchange) cutInBody() { x.begin(func([]byte) { x.reset() }) }

// truncated announces all bytes, and ends the connection in order before.
func (x *exchange) truncated() { x.begin(func([]byte) {}) }

func (x *exchange) shorter() {
	x.replace(func(body []byte) []byte { return body[:x.place(body)] })
}

func (x *exchange) longer() {
	x.replace(func(body []byte) []byte { return append(body, "and more"...) })
}

func (x *exchange) empty() { x.replace(func([]byte) []byte { return nil }) }

func (x *exchange) wrongBytes() {
	x.replace(func(body []byte) []byte {
		for i := x.place(body); i < min(x.place(body)+8, len(body)); i++ {
			body[i] ^= 0x5a
		}
		return body
	})
}

// gone says that there is nothing when asked for the bytes.
func (x *exchange) gone() {
	if x.r.Method != http.MethodGet {
		x.pass()
		return
	}
	http.NotFound(x.w, x.r)
}

// redirect sends the client from here to here.
func (x *exchange) redirect() {
	x.drain()
	x.w.Header().Set("Location", x.r.URL.RequestURI())
	x.w.WriteHeader(http.StatusTemporaryRedirect)
}

// page is what a portal or a proxy answers with that wants a login.
func (x *exchange) page() {
	if x.r.Method != http.MethodGet {
		x.pass()
		return
	}
	x.w.Header().Set("Content-Type", "text/html")
	_, _ = x.w.Write([]byte("<html><body>Please log in.</body></html>\n"))
}
