import { TextField } from "../../../ui/field.tsx";

export function NewPasswordFields(props: { readonly errors: Readonly<Record<string, string>> }) {
  const { errors } = props;
  return (
    <div class="form-pair">
      <TextField
        name="password"
        label="Password"
        type="password"
        autocomplete="new-password"
        error={errors.password}
        hint="8 to 128 characters."
        isRequired
      />
      <TextField
        name="passwordAgain"
        label="Password, once more"
        type="password"
        autocomplete="new-password"
        error={errors.passwordAgain}
        isRequired
      />
    </div>
  );
}
