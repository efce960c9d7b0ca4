/** Sentences that nodes and verbs write for terminals as well: what stands in backticks there is code here. */
export function Prose(props: { readonly text: string }) {
  const parts = props.text.split("`");
  // Without its pair a backtick means nothing.
  if (parts.length % 2 === 0) return <>{props.text}</>;
  return <>{parts.map((part, index) => (index % 2 === 1 ? <code>{part}</code> : part))}</>;
}
