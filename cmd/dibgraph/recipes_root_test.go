package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// Recipes are the blocks of YAML in docs/ci.md, in its order.
const (
	githubRecipe = iota
	gitlabRecipe
	zuulRecipe
)

// A ciSite follows a recipe with servers of its own, and builds the tiny system.
type ciSite struct {
	*program
	place  sharedPlace
	public string
}

// newCISite reads a recipe into a value; an address in it is replaced by that of a
// remote of a kind.
func newCISite(t *testing.T, recipe int, address, kind string, into any) *ciSite {
	t.Helper()
	s := &ciSite{program: newProgram(t), place: sharedPlaces[kind](t)}
	s.env = append(s.env, s.place.env...)
	_, s.public = s.keys()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	block, _, _ := strings.Cut(strings.Split(string(text), "```yaml\n")[1+recipe], "```")
	block = strings.NewReplacer(address, s.place.address, "PUBLIC-KEY", s.public, "sudo -E ", "",
		"debian-minimal vm web", "-n tiny app", "/etc/dibgraph/cache.key", s.path("ci.key")).Replace(block)
	if err := yaml.Unmarshal([]byte(block), into); err != nil {
		t.Fatalf("recipe %d of docs/ci.md: %v", recipe, err)
	}
	return s
}

// job runs the shell of a job with variables and a store that is its own, and
// returns what it said.
func (s *ciSite) job(store, script string, env ...string) string {
	s.t.Helper()
	cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = s.dir, slices.Concat(s.env, []string{"DIBGRAPH_CACHE=" + s.path(store)}, env)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// checkShared looks whether one job made what the next one took.
func checkShared(t *testing.T, first, second string) {
	t.Helper()
	if !strings.Contains(first, "0 of ") || strings.Contains(first, "left out") {
		t.Errorf("the first job made not everything:\n%s", first)
	}
	if !strings.Contains(second, "nothing ran") {
		t.Errorf("the second job ran something:\n%s", second)
	}
}

// The three commands of the README, with a registry on this machine.
func TestRecipeReadme(t *testing.T) {
	p := newProgram(t)
	place := sharedPlaces["oci"](t)
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## A cache for many machines\n")
	_, block, _ := strings.Cut(section, "```sh\n")
	block, _, _ = strings.Cut(block, "```")
	lines := strings.Split(strings.TrimSpace(block), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d commands: %q", len(lines), lines)
	}
	s := &ciSite{program: p, place: place}
	s.public = publicForm.FindString(s.job("maker", lines[0]))
	for i, line := range lines {
		lines[i] = strings.NewReplacer("oci://registry.example.org/images/cache", place.address, "ci+…+…", s.public,
			"debian-minimal vm web", "-n tiny app").Replace(line)
	}
	checkShared(t, s.job("maker", lines[1]), s.job("other", lines[2]))
}

func TestRecipeGitHub(t *testing.T) {
	type step struct {
		Env map[string]string
		Run string
	}
	var r struct {
		Env  map[string]string
		Jobs struct{ Build struct{ Steps []step } }
	}
	s := newCISite(t, githubRecipe, "oci://ghcr.io/example/images-cache", "oci", &r)
	steps := slices.DeleteFunc(r.Jobs.Build.Steps, func(s step) bool { return s.Run == "" })
	if len(steps) != 2 {
		t.Fatalf("%d steps run something", len(steps))
	}
	var env []string
	for name, value := range r.Env {
		env = append(env, name+"="+value)
	}
	// Of the protected branch. Later steps get what is in a file.
	s.job("main", steps[0].Run, append(env, "GITHUB_ENV="+s.path("env"), "RUNNER_TEMP="+s.dir, "SIGN_KEY="+s.read("ci.key"))...)
	made := s.job("main", steps[1].Run, append(env, strings.Fields(s.read("env"))...)...)
	// Of a pull request, without the step.
	checkShared(t, made, s.job("pull-request", steps[1].Run, env...))
}

func TestRecipeGitLab(t *testing.T) {
	var r struct {
		Image struct {
			Variables    map[string]string
			BeforeScript []string `yaml:"before_script"`
			Script       []string
		}
	}
	s := newCISite(t, gitlabRecipe, "oci://$CI_REGISTRY_IMAGE/cache", "oci", &r)
	host, _, _ := strings.Cut(strings.TrimPrefix(s.place.address, "oci://"), "/")
	env := []string{"CI_REGISTRY=" + host, "CI_REGISTRY_USER=u", "CI_REGISTRY_PASSWORD=p"}
	for name, value := range r.Image.Variables {
		env = append(env, name+"="+value)
	}
	script := strings.Join(slices.Concat(r.Image.BeforeScript, r.Image.Script), "\n")
	made := s.job("main", script, append(env, "CI_COMMIT_REF_PROTECTED=true", "DIBGRAPH_CACHE_SIGN_KEY="+s.read("ci.key"))...)
	checkShared(t, made, s.job("branch", script, append(env, "CI_COMMIT_REF_PROTECTED=false")...))
	if login := s.read("home/.docker/config.json"); !strings.Contains(login, `"auth":"dTpw"`) {
		t.Errorf("the login is %s", login)
	}
}

func TestRecipeZuul(t *testing.T) {
	var r struct{ Cache map[string]any }
	s := newCISite(t, zuulRecipe, "s3://images-cache?endpoint=https://objects.example.org", "s3", &r)
	config, err := yaml.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	s.write("home/.config/dibgraph/config.yaml", string(config))
	// As a builder of nodepool calls it.
	build := "dibgraph build -x -t qcow2 --checksum --no-tmpfs --qemu-img-options 'compat=0.10' -o image -n tiny app"
	made := s.job("builder", build)
	delete(r.Cache, "to")
	delete(r.Cache, "sign_key_file")
	if config, err = yaml.Marshal(r); err != nil {
		t.Fatal(err)
	}
	s.write("home/.config/dibgraph/config.yaml", string(config))
	checkShared(t, made, s.job("check", build))
}
