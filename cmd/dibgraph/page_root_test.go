package main

import (
	"encoding/json"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// browse opens a page in a browser and returns the document as it then is.
func (p *program) browse(address string) string {
	p.t.Helper()
	profile := p.t.TempDir()
	return p.tool("timeout", "120", "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--user-data-dir="+profile, "--virtual-time-budget=5000", "--dump-dom", "file://"+address)
}

// probe is a script that is put at the end of a page: it says what a user sees
// of it, and uses it as one would.
const probe = `
const seen = {errors: errors, open: document.body.dataset.open, panel: document.querySelector("article.open")?.innerText ?? ""};
const visible = (e) => e.checkVisibility();
seen.articles = [...document.querySelectorAll("article")].filter(visible).length;
const radio = document.querySelector("[name=show][value=ran]");
radio.click();
seen.rows = [...document.querySelectorAll("tbody tr")].filter(visible).map((r) => r.cells[0].innerText);
const search = document.getElementById("search");
search.value = "DISK";
search.dispatchEvent(new Event("input", {bubbles: true}));
seen.found = [...document.querySelectorAll("a.node:not(.dim)")].map((n) => n.querySelector("text").textContent);
const took = [...document.querySelectorAll("th button")].find((b) => b.textContent === "took");
took.click();
seen.slowest = document.querySelector("tbody td.number").dataset.value;
document.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape", bubbles: true}));
seen.closed = document.querySelectorAll("article.open").length === 0;
document.querySelector("a.node[data-node='0']").dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}));
addEventListener("hashchange", () => {
	seen.clicked = document.querySelector("article.open")?.querySelector("h2").innerText ?? "";
	const out = document.createElement("pre");
	out.id = "seen";
	out.textContent = JSON.stringify(seen);
	document.body.append(out);
});
`

// seen is what the probe saw.
type seen struct {
	Errors, Rows, Found           []string
	Open, Panel, Slowest, Clicked string
	Articles                      int
	Closed                        bool
}

// probed opens a page with the probe in it, at a fragment.
func (p *program) probed(page, fragment string) seen {
	p.t.Helper()
	text := p.read(page)
	// The policy of the page would not let it run.
	text = regexp.MustCompile(`<meta http-equiv[^>]*>`).ReplaceAllString(text, "<script>const errors = []; onerror = (m) => { errors.push(String(m)); }; console.error = onerror;</script>")
	text = strings.Replace(text, "</body>", "<script>"+probe+"</script></body>", 1)
	p.write("probed.html", text)
	document := p.browse(p.path("probed.html") + fragment)
	found := regexp.MustCompile(`(?s)<pre id="seen">(.*?)</pre>`).FindStringSubmatch(document)
	if found == nil {
		p.t.Fatalf("the probe said nothing in\n%s", document)
	}
	var s seen
	if err := json.Unmarshal([]byte(html.UnescapeString(found[1])), &s); err != nil {
		p.t.Fatal(err)
	}
	return s
}

// The page of a build tells the reasons of a node that the address names, and
// does what its controls say.
func TestPageInBrowser(t *testing.T) {
	p := newProgram(t)
	p.write("elements/app/install.d/50-app", "#!/bin/sh\necho one > /etc/app\n")
	p.write("elements/app/install.d/60-last", "#!/bin/sh\necho '</pre><script>document.title = 1</script>'\n")
	build := []string{"build", "-n", "-t", "raw,qcow2", "-o", "web", "tiny", "app", "--report", "page.html"}
	p.run(build...)
	p.write("elements/app/install.d/50-app", "#!/bin/sh\necho two > /etc/app\n")
	p.run(build...)

	// As it is, with the policy that lets its own script run and nothing else.
	document := p.browse(p.path("page.html") + "#node=install.d/50-app")
	if !strings.Contains(document, `data-open="install.d/50-app"`) {
		t.Errorf("the script of the page did not open the node:\n%s", document)
	}

	s := p.probed("page.html", "#node=install.d/50-app")
	if len(s.Errors) > 0 {
		t.Errorf("errors in the console: %q", s.Errors)
	}
	if s.Open != "install.d/50-app" || s.Articles != 1 {
		t.Errorf("%d nodes are shown, at %q", s.Articles, s.Open)
	}
	for _, text := range []string{"install.d/50-app", "ran", "50-app changed", "\n-echo one", "\n+echo two"} {
		if !strings.Contains(s.Panel, text) {
			t.Errorf("the panel lacks %q:\n%s", text, s.Panel)
		}
	}
	if got := strings.Join(s.Rows, " "); !strings.HasPrefix(got, "install.d/50-app install.d/60-last ") || strings.Contains(got, "root.d/10-tiny") {
		t.Errorf("what ran is %q", got)
	}
	if len(s.Found) != 1 || s.Found[0] != "disk" {
		t.Errorf("searching for DISK finds %q", s.Found)
	}
	if s.Slowest == "" || !s.Closed || s.Clicked != "env:root" {
		t.Errorf("the slowest took %q, closed is %t, a click opens %q", s.Slowest, s.Closed, s.Clicked)
	}
	if s := p.probed("page.html", "#node=install.d/60-last"); !strings.Contains(s.Panel, "</pre><script>document.title = 1</script>") {
		t.Errorf("the log is not shown as it was printed:\n%s", s.Panel)
	}
}

// What reports and other commands print as JSON is what the schema says, and
// nothing it does not name.
func TestReportsMatchSchema(t *testing.T) {
	p := newProgram(t)
	schema := strictSchema(t)
	p.write("elements/app/install.d/50-app", "#!/bin/sh\necho $DIB_APP > /etc/app\n")
	build := []string{"build", "-n", "-t", "raw,qcow2", "--checksum", "-o", "web", "tiny", "app", "--report"}
	p.run(append(build, "first.json")...)
	p.write("elements/app/environment.d/50-app.bash", "export DIB_APP=one\n")
	p.run(append(build, "changed.json")...)
	p.run(append(build, "nothing.json")...)
	p.write("elements/app/install.d/50-app", "#!/bin/sh\nexit 1\n")
	if err := p.command(append(build, "failed.json")...).Run(); err == nil {
		t.Error("a hook that fails did not")
	}
	images := []string{"-n", "-t", "raw,qcow2", "--checksum", "-o", "web", "tiny", "app"}
	for name, args := range map[string][]string{
		"explained.json": {"explain", "--json"},
		"node.json":      {"explain", "--json", "--node", "disk", "last~2"},
		"compared.json":  {"explain", "--json", "last~3", "last"},
		"next.json":      append([]string{"explain", "--json"}, images...),
		"plan.json":      append([]string{"plan", "--json"}, images...),
	} {
		text, _ := p.run(args...)
		p.write(name, text)
	}
	for _, name := range []string{
		"first.json", "changed.json", "nothing.json", "failed.json",
		"explained.json", "node.json", "compared.json", "next.json", "plan.json",
	} {
		report, err := jsonschema.UnmarshalJSON(strings.NewReader(p.read(name)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(report); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "changed.json" && !strings.Contains(p.read(name), `"path"`) {
			t.Errorf("%s has no cause that came by way of another node", name)
		}
	}
}

// strictSchema is the published one without its leave for more properties.
func strictSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "..", "docs", "report.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	document, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	closeObjects(document)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// closeObjects forbids the properties that a schema does not name.
func closeObjects(value any) {
	switch value := value.(type) {
	case map[string]any:
		if _, ok := value["properties"].(map[string]any); ok && value["type"] == "object" {
			value["additionalProperties"] = false
		}
		for _, v := range value {
			closeObjects(v)
		}
	case []any:
		for _, v := range value {
			closeObjects(v)
		}
	}
}
