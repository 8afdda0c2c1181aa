package s3

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// errNoKeys says that nothing and nobody gives keys.
var errNoKeys = errors.New("there are no keys for it: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; a bucket that everybody may read has the parameter anonymous=true")

// keys returns where keys are looked for: the environment, the profile, the
// roles of the machine.
func keys(a address, env func(string) string) *credentials.Credentials {
	if a.anonymous {
		return credentials.NewStatic("", "", "", credentials.SignatureAnonymous)
	}
	if id, secret := env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY"); id != "" && secret != "" {
		return credentials.NewStaticV4(id, secret, env("AWS_SESSION_TOKEN"))
	}
	file := env("AWS_SHARED_CREDENTIALS_FILE")
	if file == "" {
		file = filepath.Join(env("HOME"), ".aws", "credentials")
	}
	list := []credentials.Provider{&credentials.FileAWSCredentials{Filename: file, Profile: env("AWS_PROFILE")}}
	// Who names a profile wants no other keys than those.
	if env("AWS_PROFILE") == "" && env("AWS_EC2_METADATA_DISABLED") != "true" {
		list = append(list, roles(a, env))
	}
	return credentials.New(&chain{providers: list})
}

// roles asks the machine, if it is one of a cloud: the others should not wait for
// an answer that never comes.
func roles(a address, env func(string) string) credentials.Provider {
	iam := &credentials.IAM{
		Endpoint: env("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
		Region:   a.region,
		Client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
			Proxy:       http.ProxyFromEnvironment,
			DialContext: (&net.Dialer{Timeout: time.Second}).DialContext,
		}},
	}
	iam.EKSIdentity.TokenFile = env("AWS_WEB_IDENTITY_TOKEN_FILE")
	iam.EKSIdentity.RoleARN = env("AWS_ROLE_ARN")
	iam.EKSIdentity.RoleSessionName = env("AWS_ROLE_SESSION_NAME")
	iam.Container.CredentialsFullURI = env("AWS_CONTAINER_CREDENTIALS_FULL_URI")
	iam.Container.CredentialsRelativeURI = env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
	iam.Container.AuthorizationToken = env("AWS_CONTAINER_AUTHORIZATION_TOKEN")
	return iam
}

// chain is the first provider that has keys. That of the library takes "nobody has
// any" for permission to go on without, and asks all of them again each time.
type chain struct {
	providers []credentials.Provider
	mutex     sync.Mutex
	current   credentials.Provider
	none      bool
}

func (c *chain) Retrieve() (credentials.Value, error) { return c.RetrieveWithCredContext(nil) }

func (c *chain) RetrieveWithCredContext(with *credentials.CredContext) (credentials.Value, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.none {
		return credentials.Value{}, errNoKeys
	}
	for _, p := range c.providers {
		value, err := p.RetrieveWithCredContext(with)
		if err == nil && value.AccessKeyID != "" && value.SecretAccessKey != "" {
			c.current = p
			return value, nil
		}
	}
	// Who interrupted the question has no answer.
	c.none = with == nil || contextOf(with).Err() == nil
	return credentials.Value{}, errNoKeys
}

func contextOf(with *credentials.CredContext) context.Context {
	if with.Context == nil {
		return context.Background()
	}
	return with.Context
}

func (c *chain) IsExpired() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.current == nil || c.current.IsExpired()
}
