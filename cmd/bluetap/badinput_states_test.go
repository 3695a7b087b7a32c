package main

import (
	"os"
	"strings"
	"testing"
)

const (
	badNextDir    = "next: name under state.dir a directory that bluetap may make, or make one and give it to its user"
	badNextBackup = "next: move the state directory away, run bluetap teardown --config $FILE, and start anew: …"
	badNextStart  = "next: start the daemon once: bluetap run --config $FILE"
	badNextNewer  = "next: run the version of bluetap that wrote it, or a newer one"
	badDamaged    = "bluetap: open state in $STATE: state is damaged: "
)

var badStatus = []string{"status", "--config", "$FILE"}

// badDir is badStateFile with another state directory.
func badDir(dir string) string { return strings.Replace(badStateFile, "dir: state", "dir: "+dir, 1) }

// made returns a prepare that makes the state directory with a mode, and files in it.
func made(mode os.FileMode, files ...string) func(t *testing.T, b *badRun) {
	return func(t *testing.T, b *badRun) {
		t.Helper()
		b.mkdir(t, "state", mode)
		for _, name := range files {
			b.write(t, "state/"+name, "x")
		}
	}
}

// madeByRoot is made, with bluetap run by another user.
func madeByRoot(mode os.FileMode) func(t *testing.T, b *badRun) {
	return func(t *testing.T, b *badRun) {
		t.Helper()
		if os.Geteuid() != 0 {
			t.Skip("only root can make a folder that is somebody else's")
		}
		made(mode)(t, b)
		b.as(t)
	}
}

var badStates = []badStateCase{
	{badCase: badCase{name: "file instead of folder",
		prepare: func(t *testing.T, b *badRun) { t.Helper(); b.write(t, "state", "") },
		want:    []string{"bluetap: make state directory: mkdir $STATE: not a directory", badNextDir}}},
	{badCase: badCase{name: "folder in a file", file: badDir("bluetap.yaml/state"),
		want: []string{"bluetap: make state directory: mkdir $FILE: not a directory", badNextDir}}},
	{badCase: badCase{name: "link to itself",
		prepare: func(t *testing.T, b *badRun) { t.Helper(); b.symlink(t, "state", "state") },
		want:    []string{"bluetap: make state directory: mkdir $STATE: file exists", badNextDir}}},
	{badCase: badCase{name: "folder that may not be made", file: badDir("closed/state"),
		prepare: func(t *testing.T, b *badRun) { t.Helper(); b.mkdir(t, "closed", 0o555); b.as(t) },
		want:    []string{"bluetap: make state directory: mkdir $DIR/closed/state: permission denied", badNextDir}}},
	{badCase: badCase{name: "folder of somebody else, open", prepare: madeByRoot(0o755),
		want: []string{"bluetap: close state directory to other users: chmod $STATE: operation not permitted",
			"next: give it to the user that bluetap runs as: chown … $STATE; or name a folder in it, which bluetap makes"}}},
	{badCase: badCase{name: "folder of somebody else, closed", prepare: madeByRoot(0o700),
		want: []string{"bluetap: open state: lock state directory: open $STATE/LOCK: permission denied",
			"next: see that the user of bluetap may read and write what is under state.dir, and that the disk works"}}},
	{badCase: badCase{name: "configuration of somebody else", code: exitUsage,
		prepare: func(t *testing.T, b *badRun) { t.Helper(); b.as(t); b.chmod(t, "bluetap.yaml", 0) },
		want:    []string{"$FILE:1: cannot be read: permission denied"}}},
	{badCase: badCase{name: "folder of another program", prepare: made(0o755, "data.db"),
		want: []string{"bluetap: state directory $STATE is open to other users and holds something else: data.db",
			"next: name a directory of its own under state.dir"}}},
	{badCase: badCase{name: "folder for all", prepare: made(0o777|os.ModeSticky, "lost+found", "socket"),
		want: []string{"bluetap: state directory $STATE is open to other users and holds something else: socket",
			"next: name a directory of its own under state.dir"}}},
	{badCase: badCase{name: "status without state", args: badStatus,
		want: []string{"bluetap: there is no state yet: $STATE", badNextStart}}},
	{badCase: badCase{name: "status of an empty folder", args: badStatus, prepare: made(0o700),
		want: []string{"bluetap: there is no state yet: $STATE", badNextStart}}},
	{badCase: badCase{name: "status of another program's folder", args: badStatus, prepare: made(0o755, "data.db"),
		want: []string{"bluetap: there is no state yet: $STATE", badNextStart}}},

	{badCase: badCase{name: "in use", prepare: lockState,
		want: []string{"bluetap: open state: state is in use by another process (pid …): $STATE",
			"next: wait for that process to end, or stop it"}}, state: true, opened: true},
	{badCase: badCase{name: "manifest cut off", prepare: damage("MANIFEST-*", cutOff(20)),
		want: []string{badDamaged + "pebble: malformed manifest file …", badNextBackup}}, state: true},
	{badCase: badCase{name: "manifest empty", prepare: damage("MANIFEST-*", cutOff(0)),
		want: []string{badDamaged + "pebble: malformed manifest file …", badNextBackup}}, state: true},
	{badCase: badCase{name: "manifest garbage", prepare: damage("MANIFEST-*", garbage),
		want: []string{badDamaged + "pebble: malformed manifest file …", badNextBackup}}, state: true},
	{badCase: badCase{name: "manifest missing", prepare: damage("MANIFEST-*", os.Remove),
		want: []string{badDamaged + "open manifest: open …", badNextBackup}}, state: true},
	{badCase: badCase{name: "manifest garbage, asked for its status", args: badStatus,
		prepare: damage("MANIFEST-*", garbage),
		want:    []string{badDamaged + "pebble: malformed manifest file …", badNextBackup}}, state: true},
	{badCase: badCase{name: "marker missing", prepare: damage("marker.manifest.*", os.Remove),
		want: []string{badDamaged + "its file marker.manifest.… is missing", badNextBackup}}, state: true},
	{badCase: badCase{name: "table garbage", prepare: damage("*.sst", garbage),
		want: []string{"bluetap: open state in $STATE: …state is damaged: …invalid table…", badNextBackup}}, state: true,
		opened: true},
	{badCase: badCase{name: "table cut off", prepare: damage("*.sst", cutOff(100)),
		want: []string{badDamaged + "…object size mismatch ($STATE/…", badNextBackup}}, state: true, opened: true},
	{badCase: badCase{name: "table missing", prepare: damage("*.sst", os.Remove),
		want: []string{badDamaged + "…file does not exist", badNextBackup}}, state: true, opened: true},
	{badCase: badCase{name: "newer format", prepare: newerFormat,
		want: []string{"bluetap: open state in $STATE: state was written by a newer version: format 99, known is 1",
			badNextNewer}}, state: true, opened: true},
	{badCase: badCase{name: "newer Pebble", prepare: damage("marker.format-version.*", newerPebble),
		want: []string{"bluetap: open state in $STATE: state was written by a newer version: format 999, known is …",
			badNextNewer}}, state: true},
	{badCase: badCase{name: "socket a folder", prepare: func(t *testing.T, b *badRun) {
		t.Helper()
		b.mkdir(t, "state/control.sock", 0o700)
		b.write(t, "state/control.sock/x", "")
	}, want: []string{"bluetap: replace control socket: remove $STATE/control.sock: directory not empty",
		"next: remove what is there: it is none of bluetap's"}}, state: true, opened: true},
	{badCase: badCase{name: "spill folder a file", prepare: func(t *testing.T, b *badRun) {
		t.Helper()
		b.remove(t, "state/spill")
		b.write(t, "state/spill", "")
	}, want: []string{"bluetap: make spill directory: mkdir $STATE/spill: not a directory",
		"next: remove what is there: it is none of bluetap's"}}, state: true, opened: true},
	{badCase: badCase{name: "spill folder may not be written", prepare: func(t *testing.T, b *badRun) {
		t.Helper()
		b.chmod(t, "state/spill", 0o500)
		b.as(t)
		b.own(t, "state")
	}, want: []string{"bluetap: make spill directory: open $STATE/spill/bluetap-spill-…: permission denied",
		"next: see that the user of bluetap may write under state.dir and that there is room, then start again"}},
		state: true, opened: true},
}
