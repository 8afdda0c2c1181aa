package oci

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/dibgraph/dibgraph/internal/testserver"
)

const (
	testUser     = "builder"
	testPassword = "geheim-4711"
	// testHash is bcrypt of the password.
	testHash = "$2y$05$.HghiffYSKZsm1UVCFhty./5VoqY2QgeA1pPh0PhJU5/aJE6XuFWe"
)

// serve runs a registry that can delete, and returns host and port.
func serve(t *testing.T) string {
	t.Helper()
	host, _ := testserver.Registry(t, testserver.RegistryDeletes, "")
	return host
}

func withLogin(t *testing.T) string {
	file := filepath.Join(t.TempDir(), "htpasswd")
	write(t, file, testUser+":"+testHash+"\n")
	return fmt.Sprintf("auth: {htpasswd: {realm: test, path: %s}}", file)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
