import type { ImageRow } from "../../../db/queries/images.ts";
import { PostButton } from "../../../ui/form.tsx";
import { Icon } from "../../../ui/icons.tsx";

/** Tags with a way to take each off; a version's own says nothing that the version doesn't. */
export function ImageTags(props: {
  readonly image: ImageRow;
  readonly csrf: string;
  readonly back?: string;
}) {
  const { image, csrf, back } = props;
  const tags = image.tags.filter((tag) => !tag.isFixed);
  return (
    <ul class="tags">
      {tags.map(({ tag }) => (
        <li class="tag">
          <Icon name="tag" size={13} />
          <span class="tag-name" title={tag}>
            {tag}
          </span>
          {tag === "head" || tag === "default" ? null : (
            <PostButton
              action={`/images/${image.id}/untag`}
              csrf={csrf}
              fields={{ tag }}
              {...(back === undefined ? {} : { back })}
              label={`Remove tag ${tag}`}
              about={`from version ${image.version}`}
              icon="cross"
              kind="quiet"
              isIconOnly
              isTiny
            />
          )}
        </li>
      ))}
    </ul>
  );
}
