/** Which kind of page it is: one's own desktop, or a screen that is somebody else's. */

if (document.querySelector("main").dataset.visit === undefined) import("./desktop.js");
else import("./visit.js");
