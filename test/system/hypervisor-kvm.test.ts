import { describeHypervisor } from "../../src/hypervisor/contract.ts";
import { createMachineLab } from "../support/machine-lab.ts";

describeHypervisor("kvm", () => createMachineLab("hvk", "10.226.0.0/24"));
