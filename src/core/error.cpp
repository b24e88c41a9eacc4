#include "core/error.hpp"

namespace entrepot {

std::string_view name_of(Errc code) noexcept
{
    switch (code) {
        case Errc::bad_request: return "bad_request";
        case Errc::name_invalid: return "name_invalid";
        case Errc::tag_invalid: return "tag_invalid";
        case Errc::digest_invalid: return "digest_invalid";
        case Errc::size_invalid: return "size_invalid";
        case Errc::range_invalid: return "range_invalid";
        case Errc::manifest_invalid: return "manifest_invalid";
        case Errc::page_invalid: return "page_invalid";
        case Errc::upload_invalid: return "upload_invalid";
        case Errc::upload_offset: return "upload_offset";
        case Errc::digest_mismatch: return "digest_mismatch";
        case Errc::manifest_too_large: return "manifest_too_large";
        case Errc::payload_too_large: return "payload_too_large";
        case Errc::too_many_tags: return "too_many_tags";
        case Errc::not_found: return "not_found";
        case Errc::name_unknown: return "name_unknown";
        case Errc::manifest_unknown: return "manifest_unknown";
        case Errc::manifest_blob_unknown: return "manifest_blob_unknown";
        case Errc::blob_unknown: return "blob_unknown";
        case Errc::upload_unknown: return "upload_unknown";
        case Errc::gone: return "gone";
        case Errc::unauthorized: return "unauthorized";
        case Errc::denied: return "denied";
        case Errc::unsupported: return "unsupported";
        case Errc::method_not_allowed: return "method_not_allowed";
        case Errc::conflict: return "conflict";
        case Errc::blob_in_use: return "blob_in_use";
        case Errc::precondition_failed: return "precondition_failed";
        case Errc::unprocessable: return "unprocessable";
        case Errc::quota_exceeded: return "quota_exceeded";
        case Errc::oauth_invalid_request: return "oauth_invalid_request";
        case Errc::oauth_invalid_client: return "oauth_invalid_client";
        case Errc::oauth_invalid_grant: return "oauth_invalid_grant";
        case Errc::oauth_unsupported_grant: return "oauth_unsupported_grant";
        case Errc::oauth_invalid_scope: return "oauth_invalid_scope";
        case Errc::too_many_requests: return "too_many_requests";
        case Errc::request_timeout: return "request_timeout";
        case Errc::connection_lost: return "connection_lost";
        case Errc::storage_full: return "storage_full";
        case Errc::unavailable: return "unavailable";
        case Errc::corrupt: return "corrupt";
        case Errc::cancelled: return "cancelled";
        case Errc::internal: return "internal";
    }
    return "internal";
}

}  // namespace entrepot
