import { Icon, type IconName } from "../../ui/icons.tsx";

/** One number that matters, leading to the list behind it. */
export function Figure(props: {
  readonly name: string;
  readonly icon: IconName;
  readonly value: string;
  readonly note: string;
  readonly href: string;
}) {
  return (
    <a class="card figure" href={props.href}>
      <span class="figure-name">
        <Icon name={props.icon} size={16} />
        {props.name}
      </span>
      <span class="figure-value">{props.value}</span>
      <span class="figure-note">{props.note}</span>
    </a>
  );
}
