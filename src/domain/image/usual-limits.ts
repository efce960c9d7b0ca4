/**
 * What a person who creates an OS flavour is proposed for its disks: without limits one desktop can fill its box's disk for all
 * others. Programs that create one say what they want; nothing is changed behind anybody's back.
 */

export type DiskLimits = { readonly homeMb: number; readonly systemMb?: number };

/** Above what is allotted beforehand (QVD_ALLOCATE_MB), so that only what is written takes room. */
const HOME_MB = 10_240;
const SYSTEM_MB = 10_240;

/** A virtual machine's system is as large as its image, and takes no limit. */
export function usualLimits(hypervisor: string): DiskLimits {
  return hypervisor === "kvm" ? { homeMb: HOME_MB } : { homeMb: HOME_MB, systemMb: SYSTEM_MB };
}

type Fields = Readonly<Record<string, string>>;

/** As the fields of a form that is filled in before anybody has chosen a hypervisor: a container's. */
export function proposedLimits(): Fields {
  return Object.fromEntries(Object.entries(usualLimits("lxc")).map(([name, limit]) => [name, `${limit}`]));
}

/** Of that form as it comes back: a proposal that was left as it was is no wish where the hypervisor chosen takes no such limit. */
export function withoutProposals(fields: Fields): Fields {
  const [proposed, taken] = [proposedLimits(), usualLimits(fields.hypervisor ?? "lxc")];
  const isLeft = ([name, value]: readonly [string, string]) => !(name in taken) && proposed[name] === value;
  return Object.fromEntries(Object.entries(fields).filter((field) => !isLeft(field)));
}
