package soak

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
)

// vdsoFunction returns where a process has a function of its vDSO.
func vdsoFunction(pid int, name string) (int64, error) {
	from, to, err := vdsoRange(pid)
	if err != nil {
		return 0, err
	}
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return 0, err
	}
	defer memory.Close()
	image := make([]byte, to-from)
	if _, err := memory.ReadAt(image, from); err != nil {
		return 0, err
	}
	file, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return 0, err
	}
	symbols, err := file.DynamicSymbols()
	if err != nil {
		return 0, err
	}
	for _, s := range symbols {
		if s.Name == name {
			return from + int64(s.Value), nil
		}
	}
	return 0, fmt.Errorf("no %s", name)
}
