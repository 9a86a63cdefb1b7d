// Cookies of a request. Thread: both.

/** Value of the first cookie of a name in a Cookie field (RFC 6265 section 4.2.1); undefined if there is none. */
export function cookieValue(field: string | undefined, name: string): string | undefined {
  if (field === undefined) return undefined;
  for (const cookie of field.split(';')) {
    const at = cookie.indexOf('=');
    if (at >= 0 && cookie.slice(0, at).trim() === name) return cookie.slice(at + 1).trim();
  }
  return undefined;
}
