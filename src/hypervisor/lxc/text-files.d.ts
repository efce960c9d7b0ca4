/** Files that are compiled into the executable as text (`with { type: "text" }`). */
declare module "*.sh" {
  const text: string;
  export default text;
}
