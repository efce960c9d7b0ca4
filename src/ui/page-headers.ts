/** Headers that tell a browser what no page of ours does, the WAT's or the portal's. No HSTS: it would bind every port of the host. */

export type PageRules = {
  /** Where pictures come from. */
  readonly images: string;
  /** Where forms may be sent. */
  readonly forms: string;
  /** What the page may ask its browser for. */
  readonly permissions: string;
};

export function setPageHeaders(headers: Headers, { images, forms, permissions }: PageRules): void {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src ${images}`,
    "connect-src 'self'",
    `form-action ${forms}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  headers.set("Content-Security-Policy", policy.join("; "));
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("X-Frame-Options", "DENY");
  headers.set("Referrer-Policy", "same-origin");
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  headers.set("Permissions-Policy", permissions);
  // Pages show who may see what; only the assets, named by their content, may be kept.
  if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
}
