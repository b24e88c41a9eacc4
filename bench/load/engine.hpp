#pragma once

#include "connection.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace entrepot::load {

struct Load {
    Target target;
    int connections = 1;
    double seconds = 1;  // 0: until every script has ended by itself
    bool wait_for_go = false;
};

using ScriptFactory = std::function<std::unique_ptr<Script>(int connection)>;

// Says "ready" on stdout and waits for a line on stdin, so that whoever measures the server begins at the same moment.
void wait_for_go(bool wanted);

// Connects all, plays all scripts in one thread, and returns what was seen. A run ends at the latest a minute after its
// time with an error for every connection that has no answer by then. More than a hundred errors end it as well.
Statistics play(const Load& load, const ScriptFactory& make_script);

}  // namespace entrepot::load
