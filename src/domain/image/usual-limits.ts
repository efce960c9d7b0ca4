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
