// Package nodetest lets a test ask the real Node.js what JavaScript makes of something.
package nodetest

import (
	"bytes"
	"encoding/base64"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// SeedVariable names the environment variable that fixes the seed of Rand, to repeat a failure.
const SeedVariable = "BLUETAP_TEST_SEED"

// decoder defines text. TextDecoder would drop a leading byte order mark if it were not told to keep it.
const decoder = `
const textDecoder = new TextDecoder('utf-8', {ignoreBOM: true});
const text = b => textDecoder.decode(b);
`

// program reads a line of base64 per input from stdin, and writes one per result.
const program = decoder + `
const apply = eval(process.argv[1]);
const inputs = require('fs').readFileSync(0, 'latin1').split('\n').slice(0, -1);
const results = inputs.map((line, i) => {
  try {
    return Buffer.from(String(apply(Buffer.from(line, 'base64')))).toString('base64') + '\n';
  } catch (err) {
    throw new Error('input ' + i + ': ' + err.message);
  }
});
require('fs').writeFileSync(1, results.join(''));
`

// Map applies function, a JavaScript expression such as b => JSON.stringify(text(b)), to each input, in one Node
// process, and returns the results as UTF-8. The function is given a Buffer; text(b) decodes it as TextDecoder does,
// with U+FFFD for what is not UTF-8. A function that throws fails the test. Without node on the PATH the
// test is skipped, or fails where CI is set, so that it cannot go missing there.
func Map(t testing.TB, function string, inputs [][]byte) [][]byte {
	t.Helper()
	node := find(t)
	var stdin, stderr bytes.Buffer
	for _, input := range inputs {
		stdin.WriteString(base64.StdEncoding.EncodeToString(input))
		stdin.WriteByte('\n')
	}
	cmd := exec.CommandContext(t.Context(), node, "-e", program, function)
	cmd.Stdin, cmd.Stderr = &stdin, &stderr
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("node %s: %v\n%s", function, err, stderr.Bytes())
	}
	var results [][]byte
	for line := range bytes.Lines(stdout) {
		result, err := base64.StdEncoding.AppendDecode(nil, bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			t.Fatalf("decode the output of node: %v", err)
		}
		results = append(results, result)
	}
	if len(results) != len(inputs) {
		t.Fatalf("node gave %d results for %d inputs", len(results), len(inputs))
	}
	return results
}

// find returns the path of node.
func find(t testing.TB) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("node is needed in CI: %v", err)
	}
	if err != nil {
		t.Skipf("node is needed: %v", err)
	}
	return node
}

// Rand returns a source of random numbers and logs its seed: that of SeedVariable, else one from the clock.
func Rand(t testing.TB) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv(SeedVariable); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("%s: %v", SeedVariable, err)
		}
	}
	t.Logf("seed: %s=%d", SeedVariable, seed)
	return rand.New(rand.NewPCG(seed, 0))
}
