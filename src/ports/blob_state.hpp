#pragma once

#include <cstdint>

namespace entrepot {

// What a blob's row says of its bytes: those of a live and of a condemned one are there
// (docs/decisions/0014-garbage-collection.md, docs/decisions/0017-scrub.md).
enum class BlobState : std::int64_t {
    live,       // some repository holds it
    absent,     // a manifest names it, nobody has pushed it
    condemned,  // no repository holds it any more
    leaving,    // its bytes are being removed
    lost,       // some repository holds it, and its bytes are missing or damaged: nobody can read or link it
};

}  // namespace entrepot
