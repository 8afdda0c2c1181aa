package faulty

import (
	"io"
	"net"
	"net/http"
	"strconv"
)

// pass does what a proxy does.
func (x *exchange) pass() { x.p.forward.ServeHTTP(x.w, x.r) }

// drain reads the request, without which the end of a connection is not noticed.
func (x *exchange) drain() { _, _ = io.Copy(io.Discard, x.r.Body) }

// place is an offset in a body, which is not its end unless it is empty.
func (x *exchange) place(body []byte) int { return int(x.at * float64(len(body))) }

// answer gets the answer of the server, with its body.
func (x *exchange) answer() (*http.Response, []byte) {
	out := x.r.Clone(x.r.Context())
	out.URL.Scheme, out.URL.Host, out.RequestURI = "http", x.p.behind, ""
	if x.r.ContentLength == 0 {
		out.Body = nil
	}
	response, err := x.p.transport.RoundTrip(out)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	for name, values := range response.Header {
		x.w.Header()[name] = values
	}
	return response, body
}

// alter answers with the headers of the server, and the body that write writes.
func (x *exchange) alter(write func(body []byte)) {
	response, body := x.answer()
	x.w.WriteHeader(response.StatusCode)
	write(body)
}

// replace answers with another body, whose length is announced. Answers without
// a body are as they are.
func (x *exchange) replace(change func(body []byte) []byte) {
	response, body := x.answer()
	if len(body) > 0 {
		body = change(body)
		x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	x.w.WriteHeader(response.StatusCode)
	_, _ = x.w.Write(body)
}

// begin sends a part of the body, does something, and ends the connection.
// Answers without a body are as they are.
func (x *exchange) begin(then func(body []byte)) {
	response, body := x.answer()
	if len(body) == 0 {
		x.w.WriteHeader(response.StatusCode)
		return
	}
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(response.StatusCode)
	_, _ = x.w.Write(body[:x.place(body)])
	x.flush()
	then(body)
	panic(http.ErrAbortHandler) // the server ends the connection
}

func (x *exchange) flush() { _ = http.NewResponseController(x.w).Flush() }

// reset ends the connection in the rudest way.
func (x *exchange) reset() {
	c, _, err := http.NewResponseController(x.w).Hijack()
	if err == nil {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
	panic(http.ErrAbortHandler)
}
