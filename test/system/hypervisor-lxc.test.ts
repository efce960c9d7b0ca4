import { describeHypervisor } from "../../src/hypervisor/contract.ts";
import { createDesktopLab } from "../support/desktop-lab.ts";

describeHypervisor("lxc", () => createDesktopLab("hvc", "10.212.0.0/24"));
