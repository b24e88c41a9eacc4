#pragma once

#include "swarm/identity/node_identity.hpp"
#include "swarm/tracker/tracker.hpp"
#include "swarm/wire/control_frames.hpp"

namespace entrepot {

// Is told which nodes have a control stream to this instance, and how they get on with preheats. Called on the
// service's own thread: it must not block, nor call back.
class SwarmNodeWatch {
public:
    virtual ~SwarmNodeWatch() = default;

    virtual void came(ControlId stream, const NodeIdentity& node) = 0;
    // Also of streams that it has not heard of.
    virtual void left(ControlId stream) = 0;
    virtual void heard(const NodeId& node, const PreheatProgressFrame& progress) = 0;
};

}  // namespace entrepot
