// Package sandbox runs code of this binary as a process in new mount, PID, IPC
// and UTS namespaces, by executing the binary again:
//
//	this process ── Run ──► init (PID 1) ──► the program
//
// Init makes every mount private, mounts a fresh /proc, sets the host name to
// "dibgraph" and the file mode mask to 022, starts the program and reaps whatever
// loses its parent. The program gets its input as JSON, does its work (it may
// mount what it likes) and returns a result as JSON.
//
//	func init() { sandbox.Register("hook", runHook) }
//
//	func main() {
//		sandbox.MaybeRun() // does not return in a sandbox
//		…
//	}
//
//	err := sandbox.Run(ctx, sandbox.Config{Program: "hook", Input: hook}, &result)
//
// Nothing is cleaned up on the way out, and nothing has to be: when init dies,
// the kernel kills every process of the namespace, and with the last of them go
// its mounts, and with those the loop devices that clear themselves. Init dies
// when the program ends, when the context of Run ends, when the thread that runs
// Run dies (parent-death signal) and when the process of Run dies (a pipe that
// this one holds open), so that SIGKILL of that process leaves nothing behind,
// whenever it comes.
//
// The last unmount of a dead namespace is done by a worker of the kernel, a few
// milliseconds after Run has returned. A program whose writes others read right
// after it unmounts by itself, after [KillOthers].
//
// A program has the network of this machine; what it starts by [WithoutNetwork]
// has none.
//
// A Run costs two starts of this binary, and the mounts and namespaces of one
// process: 8 ms (BenchmarkRun, two processors, kernel 6.18).
//
// A program sees the environment of no one: it is empty. Standard input is
// /dev/null and there is no controlling terminal, unless Config.Stdin is set.
package sandbox
