/**
 * What counts as one caller where callers are counted by their address: an IPv4 address, and of IPv6 the network of 64 bits
 * that anybody there has to call from.
 */
export function callingNetwork(address: string): string {
  if (!address.includes(":") || /\d\.\d/.test(address)) return address;
  const [head = "", tail] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0");
  const network = [...left, ...zeros, ...right]
    .slice(0, 4)
    .map((part) => part.replace(/^0+(?=.)/, "").toLowerCase());
  return `${network.join(":")}::/64`;
}
