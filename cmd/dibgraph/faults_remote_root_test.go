package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/dibgraph/dibgraph/cache/remote/faulty"
	"github.com/dibgraph/dibgraph/internal/faultcount"
	"github.com/dibgraph/dibgraph/internal/testserver"
)

// faultyServers start a server of each kind behind a proxy, and return the
// address of a place there by its name.
var faultyServers = []struct {
	kind  string
	start func(t testing.TB) (p *faulty.Proxy, address func(name string) string)
}{
	{"oci", func(t testing.TB) (*faulty.Proxy, func(string) string) {
		host, _ := testserver.Registry(t, testserver.RegistryDeletes, "")
		p := faulty.New(t, (&net.Dialer{}).DialContext, host)
		return p, func(name string) string { return "oci://" + p.Host + "/images/" + name }
	}},
	{"http", func(t testing.TB) (*faulty.Proxy, func(string) string) {
		p := faulty.New(t, testserver.Nginx(t), "nginx")
		return p, func(name string) string { return "http://" + p.Host + "/base/" + name }
	}},
	{"s3", func(t testing.TB) (*faulty.Proxy, func(string) string) {
		p := faulty.New(t, (&net.Dialer{}).DialContext, testserver.S3(t))
		return p, func(name string) string {
			return fmt.Sprintf("s3://%s/%s?endpoint=http://%s&path-style=true", testserver.S3Bucket, name, p.Host)
		}
	}},
}

// A remote that is slow, fails, hangs, cuts or lies makes no build fail and no
// image another one, whether the build takes from it or gives to it; it is left
// out with one warning that says why. When it is well again, it is used again.
func TestFaultsRemote(t *testing.T) {
	for _, server := range faultyServers {
		t.Run(server.kind, func(t *testing.T) {
			k := newDoubter(t, faultcount.New(t, "remote "+server.kind))
			k.proxy, k.place = server.start(t)
			k.fill()
			for i, plan := range plans() {
				if faultcount.Full() || i%46 == len(server.kind) {
					k.tryTake(i, plan)
				}
				whole := plan.Of == faulty.Everything && plan.First == 0
				if faultcount.Full() && whole || i%46 == len(server.kind)+7 {
					k.tryGive(i, plan)
				}
			}
		})
	}
}

// plans are what a remote does, in all ways.
func plans() (all []faulty.Plan) {
	for way, plan := range []faulty.Plan{
		// Who gets no objects asks for no contents: they are not tried alone.
		{Of: faulty.Everything, OneIn: 1},
		{Of: faulty.Contents, OneIn: 1},
		{Of: faulty.Everything, OneIn: 2},
		{Of: faulty.Everything, OneIn: 1, First: 1},
	} {
		for i, fault := range faulty.Faults() {
			plan.Fault, plan.Seed = fault, uint64(10*i+way)
			all = append(all, plan)
		}
	}
	return all
}

// A doubter builds with remotes that are not well. Its image differs by the turn
// in one file, and what it has of turns 0 and 1 is at the place "full".
type doubter struct {
	*program
	suite          *faultcount.Suite
	proxy          *faulty.Proxy
	place          func(name string) string
	secret, public string
	warm           string // a store with turn 0
	tree           map[string]string
	what           string // what is tried, for messages
}

// modestPatience is that of builds with remotes that hang.
const modestPatience = patienceVariable + "=700ms"

func newDoubter(t *testing.T, suite *faultcount.Suite) *doubter {
	t.Helper()
	k := &doubter{program: newProgram(t), suite: suite}
	k.env = append(k.env, "AWS_ACCESS_KEY_ID="+testserver.S3ID, "AWS_SECRET_ACCESS_KEY="+testserver.S3Secret)
	k.write("elements/app/install.d/50-large", "#!/bin/sh\nseq 1 60000 > /etc/large\n")
	k.write("elements/app/install.d/60-turn", "#!/bin/sh\necho \"turn $DIB_TURN\" > /etc/turn\n")
	k.secret = k.path("home/ci.key")
	out, _ := k.run("cache", "keygen", "ci", "--out", k.secret)
	k.public = publicForm.FindString(out)
	return k
}

// build returns the arguments of a build. What is kept must not depend on what
// else is on the disk.
func (k *doubter) build(flags ...string) []string {
	return append([]string{"build", "-n", "-t", "tar", "-o", "image", "--cache-min-free", "0", "tiny", "app"}, flags...)
}

func (k *doubter) from(address string) []string {
	return []string{"--cache-from", address, "--cache-trust", k.public}
}

func (k *doubter) to(address string) []string {
	return []string{"--cache-to", address, "--cache-sign-key", k.secret}
}

// fill makes what is compared with, and fills the place "full".
func (k *doubter) fill() {
	k.t.Helper()
	k.warm = filepath.Join(k.t.TempDir(), "store")
	k.turn(0)
	k.run(k.build()...)
	k.tree = k.result(0)
	k.tool("cp", "-a", "store", k.warm)
	for turn := range 2 {
		k.turn(turn)
		k.run(k.build(k.to(k.place("full"))...)...)
	}
}

// result describes the image of a turn, which is also looked for in it.
func (k *doubter) result(turn int) map[string]string {
	k.t.Helper()
	dir := k.t.TempDir()
	defer os.RemoveAll(dir)
	tree := describeTar(k.program, dir, "image.tar")
	said, err := os.ReadFile(filepath.Join(dir, "etc/turn"))
	if want := fmt.Sprintf("turn %d\n", turn); err != nil || string(said) != want {
		k.suite.Wrong(k.t, "%s: /etc/turn is %q, want %q (%v)", k.what, said, want, err)
	}
	delete(tree, "etc/turn")
	return tree
}

// tryTake builds with what a remote has that is not well, on a machine that has
// nothing, and then with the remote when it is well: the first turn is one that
// it has, or one of which it has only what comes before.
func (k *doubter) tryTake(i int, plan faulty.Plan) {
	k.t.Helper()
	turn := i % 2 * (10 + i)
	if plan.First > 0 {
		turn = 0 // of which all can be had
	}
	k.begin(fmt.Sprintf("take turn %d", turn), plan)
	k.tool("rm", "-rf", "store")
	k.attempt(turn, plan, k.from(k.place("full"))...)
	ran := k.well(k.program, 1, k.from(k.place("full"))...)
	if ran != 0 {
		k.suite.Wrong(k.t, "%s: %d nodes ran with a remote that is well again and has everything", k.what, ran)
	}
}

// tryGive gives a remote results while it is not well. Whatever it has then does
// no harm; when it is well it is given the rest, for a machine that has nothing.
func (k *doubter) tryGive(i int, plan faulty.Plan) {
	k.t.Helper()
	turn := 10 + i
	k.begin(fmt.Sprintf("give turn %d", turn), plan)
	place := k.place(fmt.Sprintf("case%d", i))
	k.tool("rm", "-rf", "store")
	k.tool("cp", "-a", k.warm, "store")
	k.attempt(turn, plan, k.to(place)...)
	k.goesOn(turn, place)
}

// goesOn builds after a remote that was given results is well again: elsewhere,
// whatever it has; here, to give it the rest; and elsewhere with everything.
func (k *doubter) goesOn(turn int, place string) {
	k.t.Helper()
	k.well(k.elsewhere("home/second"), turn, k.from(place)...)
	if ran := k.well(k.program, turn, k.to(place)...); ran != 0 {
		k.suite.Wrong(k.t, "%s: %d nodes ran again in the store that had them at %s", k.what, ran, place)
	}
	if ran := k.well(k.elsewhere("home/third"), turn, k.from(place)...); ran != 0 {
		k.suite.Wrong(k.t, "%s: %d nodes ran though the remote was given them when it was well", k.what, ran)
	}
	k.tool("rm", "-rf", "home/second", "home/third")
}

func (k *doubter) begin(what string, plan faulty.Plan) {
	k.suite.Case()
	k.what = fmt.Sprintf("%s: %s for %s, one in %d, first %d, seed %d", what, plan.Fault.Name, plan.Of, plan.OneIn, plan.First, plan.Seed)
}

// attempt builds while the plan is under way, and checks what comes of it.
func (k *doubter) attempt(turn int, plan faulty.Plan, flags ...string) {
	k.t.Helper()
	p := *k.program
	if strings.HasPrefix(plan.Fault.Name, "hang") {
		p.env = append(p.env[:len(p.env):len(p.env)], modestPatience)
	}
	k.proxy.Begin(plan)
	ran, said := k.builds(&p, turn, flags...)
	met := k.proxy.End()
	if met == 0 && plan.OneIn == 1 && flags[0] == "--cache-from" {
		k.t.Errorf("%s: no request met the fault", k.what)
	}
	// Who has nothing asks for a dozen packs, and each answer has bytes in it.
	all := plan.Of == faulty.Everything && plan.OneIn == 1 && plan.First == 0 && plan.Fault.Says != "" && flags[0] == "--cache-from"
	if !k.checkReason(said, plan.Fault.Says) && all {
		k.suite.Wrong(k.t, "%s: it is not said that the remote is left out:\n%s", k.what, said)
	}
	mended := plan.First == 1 && plan.Fault.Passing && flags[0] == "--cache-from" && turn == 0
	if mended && (ran != 0 || strings.Contains(said, "left out")) {
		k.suite.Wrong(k.t, "%s: %d nodes ran, although asking again was enough:\n%s", k.what, ran, said)
	}
}

// leftOutLine is the warning, and leftOutNote anything that says it.
var (
	leftOutLine = regexp.MustCompile(`(?m)^note: .* is left out from now on: (.*)$`)
	leftOutNote = regexp.MustCompile(`(?m)^note: .*left out`)
)

// checkReason reports whether a remote was left out, which has to be said once,
// with the reason.
func (k *doubter) checkReason(said, reason string) bool {
	k.t.Helper()
	found := leftOutLine.FindAllStringSubmatch(said, -1)
	again := leftOutNote.FindAllString(said, -1)
	switch {
	case len(found) > 1 || len(again) > len(found):
		k.suite.Wrong(k.t, "%s: it is said more than once that the remote is left out:\n%s", k.what, said)
	case len(found) == 1 && reason != "" && !regexp.MustCompile(reason).MatchString(found[0][1]):
		k.suite.Wrong(k.t, "%s: it is left out because %q, want %q", k.what, found[0][1], reason)
	}
	return len(found) > 0
}

// well builds when the remote is well, and returns how many nodes ran.
func (k *doubter) well(p *program, turn int, flags ...string) (ran int) {
	k.t.Helper()
	ran, said := k.builds(p, turn, flags...)
	if strings.Contains(said, "left out") {
		k.suite.Wrong(k.t, "%s: a remote that is well is left out:\n%s", k.what, said)
	}
	return ran
}

// builds builds, and checks what every build has to leave: the image, and
// nothing else.
func (k *doubter) builds(p *program, turn int, flags ...string) (ran int, said string) {
	k.t.Helper()
	k.tool("rm", "-f", "image.tar")
	q := *p
	q.turn(turn)
	said, err := q.output(k.build(flags...)...)
	if err != nil {
		k.suite.Wrong(k.t, "%s: the build failed: %v\n%s", k.what, err, said)
		k.t.FailNow() // there is no image to look at
	}
	if !equalTrees(k.t, k.result(turn), k.tree) {
		k.suite.Wrong(k.t, "%s: the image is another one than that of a clean build:\n%s", k.what, said)
	}
	for _, what := range k.leftBehind() {
		k.suite.Leak(k.t, "%s: %s", k.what, what)
	}
	store := q.store()
	if litter := k.tool("find", store+"/tmp", store+"/trash", store+"/pending", "-mindepth", "1"); litter != "" {
		k.suite.Leak(k.t, "%s: in the store:\n%s", k.what, litter)
	}
	return ranNodes(k.t, said), said
}

// store is the directory of the store.
func (p *program) store() string {
	for i := len(p.env) - 1; i >= 0; i-- {
		if dir, ok := strings.CutPrefix(p.env[i], "DIBGRAPH_CACHE="); ok {
			return dir
		}
	}
	return ""
}
