#include "swarm/wire/frame_type.hpp"

namespace entrepot {

std::string_view name_of(FrameType type) noexcept
{
    switch (type) {
        case FrameType::hello: return "HELLO";
        case FrameType::bye: return "BYE";
        case FrameType::ping: return "PING";
        case FrameType::pong: return "PONG";
        case FrameType::join: return "JOIN";
        case FrameType::join_ok: return "JOIN_OK";
        case FrameType::deny: return "DENY";
        case FrameType::leave: return "LEAVE";
        case FrameType::have_map: return "HAVE_MAP";
        case FrameType::have: return "HAVE";
        case FrameType::interest: return "INTEREST";
        case FrameType::request: return "REQUEST";
        case FrameType::data: return "DATA";
        case FrameType::busy: return "BUSY";
        case FrameType::cancel: return "CANCEL";
        case FrameType::credit: return "CREDIT";
        case FrameType::suggest: return "SUGGEST";
        case FrameType::rate: return "RATE";
        case FrameType::get_bundle: return "GET_BUNDLE";
        case FrameType::bundle: return "BUNDLE";
        case FrameType::reg: return "REGISTER";
        case FrameType::welcome: return "WELCOME";
        case FrameType::limits: return "LIMITS";
        case FrameType::renew: return "RENEW";
        case FrameType::certificate: return "CERTIFICATE";
        case FrameType::ticket_keys: return "TICKET_KEYS";
        case FrameType::announce: return "ANNOUNCE";
        case FrameType::neighbours: return "NEIGHBOURS";
        case FrameType::progress: return "PROGRESS";
        case FrameType::refill: return "REFILL";
        case FrameType::retire: return "RETIRE";
        case FrameType::ticket: return "TICKET";
        case FrameType::revoke: return "REVOKE";
        case FrameType::report: return "REPORT";
        case FrameType::preheat: return "PREHEAT";
        case FrameType::preheat_progress: return "PREHEAT_PROGRESS";
        case FrameType::holders: return "HOLDERS";
        case FrameType::moved: return "MOVED";
        case FrameType::instances: return "INSTANCES";
    }
    return "unknown frame";
}

}  // namespace entrepot
