package component

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

var preamble = []byte{0, 'a', 's', 'm', 0x0d, 0, 1, 0}

const importSection = 10

var errMalformed = errors.New("the component is malformed")

// Imports returns the names of what a component imports, in their order.
func Imports(component []byte) ([]string, error) {
	if !bytes.HasPrefix(component, preamble) {
		return nil, errMalformed
	}
	reader := bytes.NewReader(component[len(preamble):])
	var names []string
	for reader.Len() > 0 {
		id, _ := reader.ReadByte()
		section, err := readBytes(reader)
		if err != nil {
			return nil, err
		}
		if id != importSection {
			continue
		}
		found, err := readImports(bytes.NewReader(section))
		if err != nil {
			return nil, err
		}
		names = append(names, found...)
	}
	return names, nil
}

// readImports reads one section. The contract's world imports interfaces only, so every import is an instance.
func readImports(reader *bytes.Reader) ([]string, error) {
	count, err := binary.ReadUvarint(reader)
	if err != nil {
		return nil, errMalformed
	}
	var names []string
	for range count {
		// The kind of the name.
		if _, err := reader.ReadByte(); err != nil {
			return nil, errMalformed
		}
		name, err := readBytes(reader)
		if err != nil {
			return nil, err
		}
		if kind, err := reader.ReadByte(); err != nil || kind != 5 {
			return nil, errMalformed
		}
		if _, err := binary.ReadUvarint(reader); err != nil {
			return nil, errMalformed
		}
		names = append(names, string(name))
	}
	return names, nil
}

// readBytes reads a length and as many bytes.
func readBytes(reader *bytes.Reader) ([]byte, error) {
	length, err := binary.ReadUvarint(reader)
	if err != nil || length > uint64(reader.Len()) {
		return nil, errMalformed
	}
	content := make([]byte, length)
	if _, err := io.ReadFull(reader, content); err != nil {
		return nil, errMalformed
	}
	return content, nil
}
