#pragma once

#include <cstdint>

namespace entrepot {

// What a blob's row says of its bytes: those of a live and of a condemned one are there
// (docs/decisions/0014-garbage-collection.md, docs/decisions/0017-scrub.md).
enum class BlobState : std::int64_t {
    live,       // some repository or the trash holds it
    absent,     // a manifest names it, nobody has pushed it
    condemned,  // neither a repository nor the trash holds it any more
    leaving,    // its bytes are being removed
    lost,       // some repository holds it, and its bytes are missing or damaged: nobody can read or link it
};

}  // namespace entrepot
