// CloudFront Function before the artists' pages: of all that a browser says of languages one word is left, so that a page is
// kept in three copies (French, English, the artist's own) and not in one for every browser's list.

function handler(event) {
  var request = event.request;
  var language = preferred(request);
  if (language) request.headers['accept-language'] = { value: language };
  else delete request.headers['accept-language'];
  return request;
}
