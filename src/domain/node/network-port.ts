/** Where a desktop is plugged in: what the network adds and the hypervisor gives the desktop. */
export type NetworkPort = {
  readonly bridge: string;
  /** Name of the interface on the host's side, at most 15 characters. */
  readonly interfaceName: string;
  readonly mac: string;
  readonly address: string;
  readonly prefixLength: number;
  readonly gateway: string;
};
