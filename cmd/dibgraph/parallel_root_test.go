package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// Two processes build two images on one store at the same time. What the images
// have in common runs once; what differs runs for each.
func TestTwoProcessesShareWork(t *testing.T) {
	p := newProgram(t)
	// What a hook on the host leaves in the image cache is outside every tree,
	// so it shows how often the hook ran.
	p.write("elements/app/root.d/50-common", `#!/bin/sh
echo ran >> "$DIB_IMAGE_CACHE/common"
sleep 0.3
echo common > "$TARGET_ROOT/etc/common"
`)
	p.write("elements/app/post-root.d/50-count", `#!/bin/sh
echo ran >> "$DIB_IMAGE_CACHE/counted"
`)
	for _, name := range []string{"one", "two"} {
		p.write("elements/"+name+"/install.d/60-"+name, "#!/bin/sh\necho "+name+" > /etc/own\n")
	}
	images := []string{"one", "two", "one", "two"}
	commands := make([]*exec.Cmd, len(images))
	outputs := make([]bytes.Buffer, len(images))
	for i, name := range images {
		dir := p.path("out" + string(rune('a'+i)))
		p.tool("mkdir", dir)
		cmd := p.command("build", "-n", "-t", "raw,tar", "-o", dir+"/"+name, "tiny", "app", name)
		cmd.Stderr = &outputs[i]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		commands[i] = cmd
	}
	waited := 0
	for i, cmd := range commands {
		if err := cmd.Wait(); err != nil {
			t.Errorf("image %s: %v\n%s", images[i], err, &outputs[i])
		}
		waited += strings.Count(outputs[i].String(), "another process is building it")
	}
	if t.Failed() {
		t.FailNow()
	}
	if waited == 0 {
		t.Error("none of the processes waited for another")
	}
	for name, want := range map[string]string{"common": "ran\n", "counted": "ran\nran\n"} {
		if got := p.read("home/.cache/image-create/" + name); got != want {
			t.Errorf("%s runs are %q, want %q", name, got, want)
		}
	}
	for i, name := range images {
		dir := "out" + string(rune('a'+i))
		if got := p.tool("tar", "-xOf", dir+"/"+name+".tar", "./etc/common", "./etc/own"); got != "common\n"+name+"\n" {
			t.Errorf("image %s holds %q", name, got)
		}
		p.tool("e2fsck", "-fn", dir+"/"+name+".raw")
	}
}

// A build that waits for another one which is killed goes on by itself.
func TestKilledBuilderIsSucceeded(t *testing.T) {
	p := newProgram(t)
	for name, text := range long {
		p.write(name, text)
	}
	p.write("elements/app/root.d/60-slow", "#!/bin/sh\n[ -e \"$HOME/quick\" ] || exec sleep 600\n")
	first := p.command(longBuild...)
	reached := make(chan bool, 1)
	first.Stderr = watcher{"run   root.d/60-slow", reached}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	<-reached
	second := p.command(longBuild...)
	waits := make(chan bool, 1)
	second.Stderr = watcher{"wait  root.d/60-slow", waits}
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	<-waits
	p.write("home/quick", "")
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	first.Wait() // its status is the signal
	if err := second.Wait(); err != nil {
		t.Errorf("the build that waited: %v", err)
	}
	p.checkNextBuild()
}

// A watcher says when a text is written to it.
type watcher struct {
	text string
	seen chan<- bool
}

func (w watcher) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(w.text)) {
		select {
		case w.seen <- true:
		default:
		}
	}
	return len(b), nil
}
