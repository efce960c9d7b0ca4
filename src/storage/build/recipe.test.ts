import { describe, expect, test } from "bun:test";
import { formatApplication, parseRecipe } from "./recipe.ts";

const HEAD = 'name = "x"\nsummary = "An x"\n';
const parse = (text: string) => parseRecipe(`${HEAD}${text}`, "x/recipe.toml");

describe("a recipe", () => {
  test("names packages, files, a script and menu entries", () => {
    const recipe = parse(`based-on = "light"
packages = ["git", "libc6:amd64", "g++"]
files = "files"
customize = "customize"
[[applications]]
id = "notes"
name = "Notes"
exec = "mousepad"
`);
    expect(recipe).toMatchObject({
      "based-on": "light",
      packages: ["git", "libc6:amd64", "g++"],
      files: "files",
    });
    expect(recipe.applications).toHaveLength(1);
  });

  test("may be next to nothing", () => {
    expect(parse("")).toMatchObject({ packages: [], applications: [] });
  });

  test.each([
    [
      "an option for a package",
      'packages = ["--force"]',
      /packages\.0: must be the name of a Debian package/,
    ],
    ["a path for a package", 'packages = ["./evil.deb"]', /name of a Debian package/],
    ["a pattern for a package", 'packages = ["?installed"]', /name of a Debian package/],
    ["several packages in one", 'packages = ["a,b"]', /name of a Debian package/],
    ["files elsewhere", 'files = "../../etc"', /files: must be the name/],
    ["files of the machine", 'files = "/etc"', /files: must be the name/],
    ["a hidden script", 'customize = ".x"', /customize: must be the name/],
    ["a base elsewhere", 'based-on = "../x"', /based-on: must be/],
    ["another suite", 'suite = "sid"', /suite: /],
    ["what nobody knows", 'hooks = "x"', /[Uu]nrecognized/],
    [
      "an entry of two lines",
      '[[applications]]\nid = "a"\nname = "a\\nExec=b"\nexec = "c"',
      /applications\.0\.name/,
    ],
    ["no TOML", "packages = [", /not TOML/],
  ])("with %s is refused, with the file's name", (_what, text, fault) => {
    expect(() => parse(text)).toThrow(fault);
    expect(() => parse(text)).toThrow(/x\/recipe\.toml/);
  });
});

test("all that is wrong with a recipe is told at once, in words alone", () => {
  const refusal = () => {
    try {
      parse('packages = ["--force"]\nhooks = "x"');
    } catch (error) {
      return error instanceof Error ? [error.message, error.cause] : [];
    }
  };
  const words = 'packages.0: must be the name of a Debian package; Unrecognized key: "hooks"';
  expect(refusal()).toEqual([`the recipe x/recipe.toml can't be used: ${words}`, undefined]);
});

test("a menu entry is written as freedesktop wants it", () => {
  expect(formatApplication({ id: "a", name: "A", exec: "a --b", icon: "c", comment: "D" })).toBe(
    "[Desktop Entry]\nType=Application\nName=A\nExec=a --b\nIcon=c\nComment=D\n",
  );
});
