import { describeHypervisor } from "../../src/hypervisor/contract.ts";
import { createDesktopLab } from "../support/desktop-lab.ts";

describeHypervisor("lxc", () => createDesktopLab("hvc", "10.232.0.0/24"));
