/**
 * The settings that start a process: one table with name, type, default and meaning. Read once by `cli`,
 * from the environment (`QVD_…`) over a file of `NAME=value` lines (`QVD_CONFIG`, default
 * /etc/qvd/qvd.conf); all faults are reported together. Nothing else reads the environment. Settings that
 * may change while running live in the database (`settings`).
 */

export type SettingType = "text" | "path" | "number" | "flag" | "size" | "choice";

export type SettingSpec = {
  /** Name in the environment and in the file. */
  readonly name: `QVD_${string}`;
  readonly type: SettingType;
  readonly fallback: string;
  readonly isSecret?: boolean;
  readonly unit?: string;
  readonly choices?: readonly string[];
  readonly doc: string;
};

export const SETTINGS = {
  instance: {
    name: "QVD_INSTANCE",
    type: "text",
    fallback: "qvd",
    doc: "Name of this box's installation, at most 8 of a-z0-9. Bridge, interfaces, nft tables, control groups and sockets carry it, so that several can live on one machine.",
  },
  nodeName: {
    name: "QVD_NODE_NAME",
    type: "text",
    fallback: "",
    doc: "Name under which this box registers; empty means its host name.",
  },
  stateFolder: {
    name: "QVD_STATE",
    type: "path",
    fallback: "/var/lib/qvd",
    doc: "Folder of everything that must survive: database, images, homes, secrets. Not on an overlay file system.",
  },
  runFolder: {
    name: "QVD_RUN",
    type: "path",
    fallback: "",
    doc: "Folder of sockets and process files; empty means /run/qvd/INSTANCE.",
  },
  sharedFolder: {
    name: "QVD_SHARED",
    type: "path",
    fallback: "",
    doc: "Folder that every box of the site sees, such as an NFS mount: images, homes and what else must be able to move. Empty means the state folder: desktops stay on this box.",
  },
  storageDriver: {
    name: "QVD_STORAGE_DRIVER",
    type: "choice",
    choices: ["overlay", "btrfs", "copy"],
    fallback: "overlay",
    doc: "How a desktop's writable system is made from its image: an overlay, a btrfs snapshot (the state folder must lie on btrfs), or a plain copy.",
  },
  allocateMb: {
    name: "QVD_ALLOCATE_MB",
    type: "number",
    fallback: "2048",
    unit: "MB",
    doc: "Homes and systems with a limit up to this take their whole room on the disk when they are made, so that a full disk can't reach them; larger ones take it as they are written.",
  },
  nodeAddress: {
    name: "QVD_NODE_ADDRESS",
    type: "text",
    fallback: "",
    doc: "Host name or address under which the other boxes of the site reach this one; empty means its host name.",
  },
  leaseSeconds: {
    name: "QVD_LEASE",
    type: "number",
    fallback: "10",
    unit: "seconds",
    doc: "How long the right to run desktops holds without being renewed; the same on every box of a site. Another box takes over after that, and this one stops its desktops' processes before.",
  },
  watchdog: {
    name: "QVD_WATCHDOG",
    type: "text",
    fallback: "",
    doc: "Watchdog device, such as /dev/watchdog, that the keeper arms: it restarts a machine whose keeper falls silent. Empty means none.",
  },
  placement: {
    name: "QVD_PLACEMENT",
    type: "choice",
    choices: ["most-free", "fill-up", "manual"],
    fallback: "most-free",
    doc: "How a node is chosen for a desktop: the one with most room, the fullest that has room, or by QVD 4's weights of memory, processors and chance. Give all boxes of a site the same.",
  },
  placementPolicy: {
    name: "QVD_PLACEMENT_POLICY",
    type: "path",
    fallback: "",
    doc: "File of the site's own (JavaScript or TypeScript, root's) whose function `score` says how good a node is for a desktop; it goes before QVD_PLACEMENT. Empty means none.",
  },
  placementMemory: {
    name: "QVD_PLACEMENT_MEMORY",
    type: "number",
    fallback: "1",
    doc: "With QVD_PLACEMENT=manual: what a megabyte of free memory counts.",
  },
  placementCpu: {
    name: "QVD_PLACEMENT_CPU",
    type: "number",
    fallback: "1",
    doc: "With QVD_PLACEMENT=manual: what a bogomips of the processors counts; four fifths of them are.",
  },
  placementRandom: {
    name: "QVD_PLACEMENT_RANDOM",
    type: "number",
    fallback: "1",
    doc: "With QVD_PLACEMENT=manual: the most that chance adds. Beside memory and processors of thousands, 1 decides between equals only.",
  },
  memoryOvercommit: {
    name: "QVD_MEMORY_OVERCOMMIT",
    type: "number",
    fallback: "8",
    doc: "How many times a node's memory may be promised to the desktops that run there; 0 is without limit. Give all boxes of a site the same.",
  },
  hooksFolder: {
    name: "QVD_HOOKS",
    type: "path",
    fallback: "/etc/qvd/hooks",
    doc: "Folder of this box's own programs prestart, poststart and poststop, run as root around each desktop's life.",
  },
  databaseUrl: {
    name: "QVD_DATABASE_URL",
    type: "text",
    fallback: "",
    isSecret: true,
    doc: "PostgreSQL to use, as owner of the schema; empty means the embedded one in the state folder.",
  },
  brokerAddress: {
    name: "QVD_BROKER_ADDRESS",
    type: "text",
    fallback: "0.0.0.0",
    doc: "Address that the broker listens on.",
  },
  brokerPort: {
    name: "QVD_BROKER_PORT",
    type: "number",
    fallback: "8443",
    doc: "Port that QVD clients connect to.",
  },
  portalAddress: {
    name: "QVD_PORTAL_ADDRESS",
    type: "text",
    fallback: "",
    doc: "Where browsers reach the QVD port, such as https://desktops.example.org; administrators are sent there to consoles and sessions that they watch. Empty means the host that they reach the WAT by, with QVD_BROKER_PORT.",
  },
  brokerWorkers: {
    name: "QVD_BROKER_WORKERS",
    type: "number",
    fallback: "2",
    doc: "Broker processes; each is one core's worth.",
  },
  brokerCertificate: {
    name: "QVD_BROKER_CERTIFICATE",
    type: "path",
    fallback: "",
    doc: "Certificate that the QVD port shows, with its chain, in PEM; empty means the box's own. Read again when it changes; sessions go on.",
  },
  brokerKey: {
    name: "QVD_BROKER_KEY",
    type: "path",
    fallback: "",
    doc: "Private key of that certificate, in PEM without a password, readable by the group qvd-tls; empty means the box's own.",
  },
  brokerClientCertificates: {
    name: "QVD_BROKER_CLIENT_CERTIFICATES",
    type: "choice",
    choices: ["no", "wanted", "required"],
    fallback: "no",
    doc: "Whether clients are asked for a certificate: with wanted, one that is shown must be good; with required, nobody comes in without one (QVD 4's l7r.client.cert.require).",
  },
  brokerClientCa: {
    name: "QVD_BROKER_CLIENT_CA",
    type: "path",
    fallback: "",
    doc: "Authorities whose clients' certificates are good, in PEM. Read again when it changes.",
  },
  brokerClientCrl: {
    name: "QVD_BROKER_CLIENT_CRL",
    type: "path",
    fallback: "",
    doc: "Revocation lists of these authorities, in PEM, one for each; empty means that none is looked at. Read again when it changes. Once one has lapsed, no client with a certificate gets in.",
  },
  brokerBalancers: {
    name: "QVD_BROKER_BALANCERS",
    type: "text",
    fallback: "",
    doc: "Addresses or ranges, between commas, of balancers that begin each connection with a PROXY header, version 2 or 1. From them nothing else is taken, and from nobody else a header.",
  },
  brokerPerAddress: {
    name: "QVD_BROKER_PER_ADDRESS",
    type: "number",
    fallback: "5000",
    doc: "How many of the 10,000 connections of a broker process one address may hold, sessions included; of IPv6 a network of 64 bits counts as one. 0 is without bound. Balancers that are listed, the box itself and other boxes' relays don't count.",
  },
  brokerLeaveSeconds: {
    name: "QVD_BROKER_LEAVE",
    type: "number",
    fallback: "10",
    unit: "seconds",
    doc: "How long a box that goes down tells balancers so by /qvd/ping before its port closes; only where something has asked it within a minute.",
  },
  brokerDrainMinutes: {
    name: "QVD_BROKER_DRAIN",
    type: "number",
    fallback: "720",
    unit: "minutes",
    doc: "How long sessions go on in broker processes that were replaced, such as by an upgrade; then they are suspended. Their users are told 15, 5 and 1 minutes before.",
  },
  adminAddress: {
    name: "QVD_ADMIN_ADDRESS",
    type: "text",
    fallback: "0.0.0.0",
    doc: "Address that the web admin tool and the API listen on.",
  },
  adminPort: {
    name: "QVD_ADMIN_PORT",
    type: "number",
    fallback: "9443",
    doc: "Port of the web admin tool and the API.",
  },
  networkRange: {
    name: "QVD_NETWORK_RANGE",
    type: "text",
    fallback: "10.77.0.0/16",
    doc: "Range of the desktop network; its first address is the gateway, desktops get the others. Where only some of them are for desktops, those follow: 10.0.0.0/16 10.0.0.100-10.0.255.254.",
  },
  networkNat: {
    name: "QVD_NETWORK_NAT",
    type: "choice",
    choices: ["yes", "no"],
    fallback: "yes",
    doc: "Whether desktops leave the box under its address. With no, the site's routers must know the way back to the range.",
  },
  networkInterface: {
    name: "QVD_NETWORK_INTERFACE",
    type: "text",
    fallback: "",
    doc: "Interface of the box, for desktops alone, by which they share a segment with the site's machines; there is no NAT then. Empty keeps them behind the box.",
  },
  networkGateway: {
    name: "QVD_NETWORK_GATEWAY",
    type: "text",
    fallback: "",
    doc: "Router of the shared segment, an address of the range that no desktop can get; empty means the box itself.",
  },
  networkAllow: {
    name: "QVD_NETWORK_ALLOW",
    type: "text",
    fallback: "",
    doc: "What desktops may reach in private ranges, such as file servers and printers: addresses or ranges, with a port or without, between commas. 192.168.1.0/24, 192.168.2.5:445, 192.168.2.9:161/udp.",
  },
  networkDns: {
    name: "QVD_NETWORK_DNS",
    type: "text",
    fallback: "",
    doc: "Addresses of the name servers that answer desktops, between commas; empty means those of the box.",
  },
  networkDomain: {
    name: "QVD_NETWORK_DOMAIN",
    type: "text",
    fallback: "",
    doc: "Domain that desktops look short names up in.",
  },
  idRangeFirst: {
    name: "QVD_ID_FIRST",
    type: "number",
    fallback: "1000000",
    doc: "First user id on the host that desktops are mapped to; each takes 65536. Must be root's in /etc/subuid and /etc/subgid.",
  },
  parallelStops: {
    name: "QVD_PARALLEL_STOPS",
    type: "number",
    fallback: "8",
    doc: "Desktops that this box stops at a time; the others go on until it is their turn. When the box itself goes down, all stop at once.",
  },
  parallelStarts: {
    name: "QVD_PARALLEL_STARTS",
    type: "number",
    fallback: "4",
    doc: "Desktops that this box starts at a time; the others queue in starting_1. While somebody is connected to a desktop of the box, at most half as many as it has processors.",
  },
  startTimeoutSeconds: {
    name: "QVD_START_TIMEOUT",
    type: "number",
    fallback: "60",
    unit: "seconds",
    doc: "How long a started desktop may take until its agent answers.",
  },
  bases: {
    name: "QVD_BASES",
    type: "choice",
    choices: ["node", "shared"],
    fallback: "node",
    doc: "Where images are unpacked: once on each node, in its state folder, or once for all in the shared folder. The latter needs a shared file system with id-mapped mounts, which NFS has not.",
  },
  imagePrivateUrls: {
    name: "QVD_IMAGE_PRIVATE_URLS",
    type: "choice",
    choices: ["yes", "no"],
    fallback: "no",
    doc: "Whether images may be fetched from addresses that are not of the public internet, such as a server of the site. With yes, whoever may enrol images can have this box ask anything that it can reach.",
  },
  logLevel: {
    name: "QVD_LOG_LEVEL",
    type: "choice",
    choices: ["debug", "info", "warn", "error"],
    fallback: "info",
    doc: "Least serious level that is logged.",
  },
} as const satisfies Record<string, SettingSpec>;

export type SettingKey = keyof typeof SETTINGS;
