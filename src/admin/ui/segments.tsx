/** A choice among few views of one list, as links. */

export type Segment = {
  readonly href: string;
  readonly text: string;
  readonly count?: number;
  readonly isCurrent: boolean;
};

export function Segments(props: { readonly label: string; readonly segments: readonly Segment[] }) {
  return (
    <nav class="segments" aria-label={props.label}>
      {props.segments.map((segment) => (
        <a class="segment" href={segment.href} aria-current={segment.isCurrent ? "true" : undefined}>
          {segment.text}
          {segment.count === undefined ? null : <span class="count">{segment.count}</span>}
        </a>
      ))}
    </nav>
  );
}
