//go:build unix

package capture

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"bluetap/internal/pgserver"
)

// encrypt switches TLS on at the server and returns the file of its certificate.
func (s *source) encrypt(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := s.Exec(t, "postgres", "SHOW data_directory")
	s.install(t, filepath.Join(dir, "server.key"), &pem.Block{Type: "PRIVATE KEY", Bytes: private})
	s.install(t, filepath.Join(dir, "server.crt"), &pem.Block{Type: "CERTIFICATE", Bytes: der})
	s.Exec(t, "postgres", "ALTER SYSTEM SET ssl = on")
	s.Exec(t, "postgres", "SELECT pg_reload_conf()")
	return filepath.Join(dir, "server.crt")
}

// install writes a file that belongs to whom its folder belongs to.
func (s *source) install(t *testing.T, name string, block *pem.Block) {
	t.Helper()
	if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Dir(name))
	if err != nil {
		t.Fatal(err)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		if err := os.Chown(name, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTLS holds that waking a reader works on an encrypted line, and an unknown certificate is not retried.
func TestTLS(t *testing.T) {
	s := newSource(t, schema)
	certificate := s.encrypt(t)
	plain := s.cfg.URL
	s.cfg.URL = plain + "&sslmode=verify-full"
	until(t, "encryption on", func() bool {
		_, err := Tables(t.Context(), s.cfg)
		return err != nil && !Retryable(err)
	})
	s.cfg.URL += "&sslrootcert=" + certificate
	r := s.run(t)
	s.Exec(t, "postgres", "INSERT INTO a VALUES (1)")
	r.next(t)
	if got := s.Exec(t, "postgres", "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_replication USING (pid)"); got != "t" {
		t.Errorf("encrypted: %s", got)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tx, err := r.Next(t.Context()); err == nil; tx, err = r.Next(t.Context()) {
			r.Confirm(tx.End)
		}
	}()
	if took := s.Stop(t, pgserver.Fast); took > 20*time.Second { // and not until wal_sender_timeout
		t.Errorf("stopping took %s", took)
	}
	r.halt(t)
	<-done
}
