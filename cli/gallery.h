// The pictures of a report's gallery: thumbnails, and what each network looks at.
#pragma once

#include <vector>

#include "cli/session.h"
#include "reports/report.h"

namespace vise::cli {

// Fills report.thumbnails, report.maps and report.attention from the runs' plans, where this machine has their images
// and weights. What can't be had is reported and left out: the page shows where an image is missing.
void add_gallery(reports::Report& report, const std::vector<Path>& runs, Session& session);

}  // namespace vise::cli
