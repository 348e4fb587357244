/** The headers of a response, with lower-case names; a name that came more than once has a list. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;
