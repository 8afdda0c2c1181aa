package oci

import (
	"encoding/json"
	"time"

	"github.com/dibgraph/dibgraph/cache/remote"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	artifactType = "application/vnd.dibgraph.cache.v1+json"
	configType   = "application/vnd.dibgraph.cache.object.v1"
	contentType  = "application/vnd.dibgraph.cache.content.v1"

	// manifestLimit is what registries accept: 4 MiB. The two below it make
	// manifests of at most 1.4 MB for the object and 1.9 MB for the contents.
	manifestLimit = 4 << 20
	// inlineLimit is how large an object travels in its manifest.
	inlineLimit = 1 << 20
	// layersLimit is how many contents one manifest speaks of: 190 bytes each.
	layersLimit = 10_000
)

// An objectManifest is a manifest or an index.
type objectManifest struct {
	specs.Versioned
	MediaType    string               `json:"mediaType"`
	ArtifactType string               `json:"artifactType"`
	Config       ocispec.Descriptor   `json:"config,omitzero"`
	Layers       []ocispec.Descriptor `json:"layers,omitempty"`
	Manifests    []ocispec.Descriptor `json:"manifests,omitempty"`
	Annotations  map[string]string    `json:"annotations,omitempty"`
}

// stored is a manifest as the registry gets it.
type stored struct {
	mediaType, reference string
	text                 []byte
}

// manifests returns what is stored of an object, in that order: one manifest, or
// several with at most so many layers and the index that is found under the tag. Their name is in it, so that
// no two tags have the same manifest, which are only deleted together.
func manifests(name string, data []byte, about []remote.Content, most int) []stored {
	config := ocispec.Descriptor{MediaType: configType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	layers := descriptors(about)
	if len(layers) == 0 {
		// Some registries want a layer in every manifest.
		layers = []ocispec.Descriptor{config}
	}
	annotations := map[string]string{
		ocispec.AnnotationRefName: name,
		ocispec.AnnotationCreated: time.Now().UTC().Format(time.RFC3339),
	}
	inline := config
	if len(data) <= inlineLimit {
		inline.Data = data
	}
	m := objectManifest{MediaType: ocispec.MediaTypeImageManifest, ArtifactType: artifactType, Config: inline,
		Layers: layers, Annotations: annotations}
	if len(layers) <= most {
		return []stored{encode(m, name)}
	}
	var all []stored
	index := objectManifest{MediaType: ocispec.MediaTypeImageIndex, ArtifactType: artifactType, Annotations: annotations}
	for len(layers) > 0 {
		n := min(len(layers), most)
		m.Layers, layers = layers[:n], layers[n:]
		part := encode(m, "")
		all = append(all, part)
		index.Manifests = append(index.Manifests, ocispec.Descriptor{MediaType: part.mediaType,
			ArtifactType: artifactType, Digest: digest.Digest(part.reference), Size: int64(len(part.text))})
		m.Config = config
	}
	return append(all, encode(index, name))
}

// descriptors leaves out what was named before, and keeps the order.
func descriptors(about []remote.Content) (all []ocispec.Descriptor) {
	seen := map[remote.Content]bool{}
	for _, c := range about {
		if !seen[c] {
			seen[c] = true
			all = append(all, ocispec.Descriptor{MediaType: contentType, Digest: digest.Digest(digestOf(c.Sum)), Size: c.Size})
		}
	}
	return all
}

// encode returns a manifest under a tag, or without one under its digest.
func encode(m objectManifest, tag string) stored {
	m.SchemaVersion = 2
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // There is nothing in it that has no JSON.
	}
	if tag == "" {
		tag = digest.FromBytes(text).String()
	}
	return stored{m.MediaType, tag, text}
}
