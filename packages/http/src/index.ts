export { AsyncHttpClient, type HttpClientStatistics, type ResponseUse } from './async-http-client.ts';
export type { AsyncHttpClientOptions } from './client-options.ts';
export { type ExchangePhase, HttpBodyError, HttpConnectionError, HttpError, HttpStatusError } from './http-errors.ts';
export type { HttpRequest, RequestHeaders } from './http-request.ts';
export { HttpResponse, type ReadOptions } from './http-response.ts';
export { resilientFetch } from './resilient-fetch.ts';
export type { ResponseHeaders } from './response-headers.ts';
