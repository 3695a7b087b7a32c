package finding

// Code names what was looked at. Codes are stable: programs may rely on them, and docs/check.md lists them.
type Code string

// The codes, in the order in which findings are shown.
const (
	Config        Code = "config"
	StateDir      Code = "state-dir"
	State         Code = "state"
	Daemon        Code = "daemon"
	Connection    Code = "connection"
	Encryption    Code = "encryption"
	ServerVersion Code = "server-version"
	ServerMinor   Code = "server-minor"
	Standby       Code = "standby"
	Encoding      Code = "encoding"
	WALLevel      Code = "wal-level"
	Replication   Code = "replication"
	Role          Code = "role"
	Slots         Code = "slots"
	Senders       Code = "senders"
	Connections   Code = "connections"
	SyncStandby   Code = "synchronous-standby"
	Tables        Code = "tables"
	ReplicaID     Code = "replica-identity"
	Privileges    Code = "privileges"
	RowSecurity   Code = "row-level-security"
	Publication   Code = "publication"
	ColumnList    Code = "column-list"
	Slot          Code = "slot"
	WALRetention  Code = "wal-retention"
	SlotTimeout   Code = "slot-timeout"
	SenderTimeout Code = "sender-timeout"
	LongTransact  Code = "long-transaction"
	PreparedXact  Code = "prepared-transaction"
	LargeValues   Code = "large-values"
	Disk          Code = "disk"
	Webhooks      Code = "webhooks"
	Companies     Code = "companies"
)

// about is what each code looks at, in the order of display.
var about = []struct {
	code Code
	what string
}{
	{Config, "the file: every fault and every warning of it"},
	{StateDir, "the state directory: its path, whether it can be used, and by whom it is"},
	{State, "whether the state belongs to this database, and its mirror can be continued"},
	{Daemon, "whether a daemon runs on the state, and how it does"},
	{Connection, "whether the server can be reached and lets the role in"},
	{Encryption, "whether the connection over a network is encrypted"},
	{ServerVersion, "PostgreSQL 14 or later"},
	{ServerMinor, "minor versions that are known to lose changes or to fail in logical decoding"},
	{Standby, "that the server is no standby"},
	{Encoding, "databases whose bytes may be no text"},
	{WALLevel, "wal_level = logical"},
	{Replication, "that the role may open a replication connection, by opening one"},
	{Role, "that the role may do no more than it needs"},
	{Slots, "free replication slots"},
	{Senders, "free WAL senders"},
	{Connections, "free connections for the role"},
	{SyncStandby, "that no commit of the application would wait for bluetap"},
	{Tables, "which tables of Blue's there are, and which columns of them are left out"},
	{ReplicaID, "that no published table makes the application's UPDATE and DELETE fail"},
	{Privileges, "that the role may read every table, by reading nothing from it"},
	{RowSecurity, "that no rows are hidden from the role"},
	{Publication, "that the publication sends all that is needed, or can be made, by making it and rolling back"},
	{ColumnList, "columns that are published though they are not sent, or not published though they are"},
	{Slot, "the slot: whose it is, whether it still holds what the state lacks, and how much log it keeps"},
	{WALRetention, "how much log the server keeps for a bluetap that is away"},
	{SlotTimeout, "whether the server drops an idle slot"},
	{SenderTimeout, "when the server gives up a dead connection"},
	{LongTransact, "transactions that a first start would wait for, and that keep the log"},
	{PreparedXact, "prepared transactions that nobody ends"},
	{LargeValues, "values that are stored out of line, which the stream leaves out while they are unchanged"},
	{Disk, "room for the mirror in the state directory"},
	{Webhooks, "that each webhook asks for what the database has"},
	{Companies, "webhooks that get the events of several companies"},
}

// Codes returns every code and what it looks at, in the order of display.
func Codes() (codes []Code, what []string) {
	for _, a := range about {
		codes = append(codes, a.code)
		what = append(what, a.what)
	}
	return codes, what
}

// rank is the code's place in the order of display; one that is not listed comes first.
func (c Code) rank() int {
	for n, a := range about {
		if a.code == c {
			return n
		}
	}
	return -1
}
